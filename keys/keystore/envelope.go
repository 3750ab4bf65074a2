package keystore

import (
	"encoding/json"
	"errors"
	"fmt"

	"tollgate/keys/ring"
)

// What the wiring branches on.
var (
	// ErrUnsealed says that private keys would be, or were, kept unsealed where
	// that was not allowed.
	ErrUnsealed = errors.New("the key ring is not sealed")
	// ErrSealed says that the stored ring cannot be opened: there is no sealing
	// key, or none of them is the right one, or the ring was changed or moved.
	ErrSealed = errors.New("the sealed key ring cannot be opened")
)

// format is the number of the envelope; another one is refused, not guessed at.
const format = 1

// envelope is what a store keeps: issuer and version in the clear, and the keys
// either in the clear or sealed.
type envelope struct {
	Format  int             `json:"format"`
	Issuer  string          `json:"issuer"`
	Version uint64          `json:"version"`
	Keys    json.RawMessage `json:"keys,omitempty"`
	Sealed  []byte          `json:"sealed,omitempty"`
}

// vault turns rings into envelopes and back. It is not changed after it was made.
type vault struct {
	prefix        string
	issuer        string
	sealer        *Sealer // nil: not sealed
	allowUnsealed bool
}

// pack checks a ring that is to replace version from, and writes its envelope.
func (v vault) pack(from uint64, r ring.Ring) ([]byte, error) {
	if err := check(from, r); err != nil {
		return nil, err
	}
	if v.issuer != "" && r.Issuer != v.issuer {
		return nil, fmt.Errorf("a ring of the issuer %q in the store of %q", r.Issuer, v.issuer)
	}
	if v.sealer == nil && !v.allowUnsealed {
		return nil, ErrUnsealed
	}
	ks, err := encodeKeys(r.Keys)
	if err != nil {
		return nil, err
	}
	e := envelope{Format: format, Issuer: r.Issuer, Version: r.Version}
	if v.sealer == nil {
		e.Keys = ks
	} else {
		e.Sealed = v.sealer.seal(ks, binding(v.prefix, e.Issuer, e.Version))
	}
	return json.Marshal(e)
}

// unpack reads an envelope.
func (v vault) unpack(data []byte) (ring.Ring, error) {
	var e envelope
	if err := json.Unmarshal(data, &e); err != nil {
		return ring.Ring{}, errors.New("the stored ring is not the JSON that was written")
	}
	if e.Format != format {
		return ring.Ring{}, fmt.Errorf("the stored ring has format %d, this program reads %d", e.Format, format)
	}
	if v.issuer != "" && e.Issuer != v.issuer {
		return ring.Ring{}, fmt.Errorf("the stored ring belongs to the issuer %q, not to %q", e.Issuer, v.issuer)
	}
	if e.Version == 0 {
		return ring.Ring{}, errors.New("the stored ring has no version")
	}
	plain := []byte(e.Keys)
	switch {
	case e.Sealed != nil && v.sealer == nil:
		return ring.Ring{}, fmt.Errorf("%w: there is no sealing key", ErrSealed)
	case e.Sealed != nil:
		var err error
		if plain, err = v.sealer.open(e.Sealed, binding(v.prefix, e.Issuer, e.Version)); err != nil {
			return ring.Ring{}, err
		}
	case !v.allowUnsealed:
		return ring.Ring{}, ErrUnsealed
	}
	ks, err := decodeKeys(plain)
	if err != nil {
		return ring.Ring{}, err
	}
	return ring.Ring{Issuer: e.Issuer, Version: e.Version, Keys: ks}, nil
}

// check is what every store asks of a ring before it keeps it: a version that
// rises and none of the faults of ring.Validate, above all no private half that
// should be gone.
func check(from uint64, r ring.Ring) error {
	if r.Version <= from {
		return fmt.Errorf("version %d does not follow version %d", r.Version, from)
	}
	return r.Validate()
}
