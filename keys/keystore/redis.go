package keystore

import (
	"context"
	_ "embed" // for the script
	"errors"
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"

	"tollgate/keys/ring"
)

//go:embed swap.lua
var swapSource string

// Options say where in Redis a ring is and how it is sealed.
type Options struct {
	// Prefix comes before every key name of this program ("tg:").
	Prefix string
	// Issuer is whose ring it is. It is needed.
	Issuer string
	// Sealer seals and opens. Nil: the ring is kept in the clear, which needs
	// AllowUnsealed.
	Sealer *Sealer
	// AllowUnsealed lets private keys lie in Redis as they are, or, with a
	// Sealer, lets a ring that is not sealed be read: the next write seals it.
	AllowUnsealed bool
}

// Redis keeps a ring in one hash. It is safe for concurrent use, by any number
// of processes.
type Redis struct {
	client redis.UniversalClient
	key    string
	vault  vault
	swap   *redis.Script
}

var _ ring.Store = (*Redis)(nil)

// NewRedis fails with ErrUnsealed when there is neither a Sealer nor leave to go
// without. It does not talk to Redis.
func NewRedis(client redis.UniversalClient, o Options) (*Redis, error) {
	if o.Issuer == "" {
		return nil, errors.New("key store: no issuer")
	}
	if o.Sealer == nil && !o.AllowUnsealed {
		return nil, fmt.Errorf("key store: %w and there is no sealing key", ErrUnsealed)
	}
	return &Redis{
		client: client,
		key:    ringKey(o.Prefix, o.Issuer),
		vault:  vault{prefix: o.Prefix, issuer: o.Issuer, sealer: o.Sealer, allowUnsealed: o.AllowUnsealed},
		swap:   redis.NewScript(swapSource),
	}, nil
}

// Load returns the ring, ring.ErrEmpty, or ErrSealed and ErrUnsealed.
func (r *Redis) Load(ctx context.Context) (ring.Ring, error) {
	fields, err := r.client.HMGet(ctx, r.key, fieldVersion, fieldRing).Result()
	if err != nil {
		return ring.Ring{}, fmt.Errorf("read %s: %w", r.key, err)
	}
	if len(fields) == 2 && fields[0] == nil && fields[1] == nil {
		return ring.Ring{}, ring.ErrEmpty
	}
	version, data, err := both(fields)
	if err != nil {
		return ring.Ring{}, fmt.Errorf("read %s: %w", r.key, err)
	}
	out, err := r.vault.unpack([]byte(data))
	if err != nil {
		return ring.Ring{}, fmt.Errorf("read %s: %w", r.key, err)
	}
	if strconv.FormatUint(out.Version, 10) != version {
		return ring.Ring{}, fmt.Errorf("read %s: version %d inside, %q outside", r.key, out.Version, version)
	}
	return out, nil
}

// both returns the two fields of the hash.
func both(fields []any) (version, data string, err error) {
	if len(fields) == 2 {
		v, isText := fields[0].(string)
		d, isText2 := fields[1].(string)
		if isText && isText2 {
			return v, d, nil
		}
	}
	return "", "", errors.New("it is no key ring")
}

// Swap writes to in place of version from in one script; ring.ErrConflict when
// Redis has another version. After any other error it may have been written.
func (r *Redis) Swap(ctx context.Context, from uint64, to ring.Ring) error {
	data, err := r.vault.pack(from, to)
	if err != nil {
		return fmt.Errorf("write %s: %w", r.key, err)
	}
	written, err := r.swap.Run(ctx, r.client, []string{r.key},
		strconv.FormatUint(from, 10), strconv.FormatUint(to.Version, 10), data).Int()
	if err != nil {
		return fmt.Errorf("write %s: %w", r.key, err)
	}
	if written != 1 {
		return ring.ErrConflict
	}
	return nil
}
