package statuslist_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
	"tollgate/issuer/statuslist"
	"tollgate/issuer/store"
	"tollgate/revocation"
)

const issuer = "https://issuer.example"

// desk is status lists over a store, with a signer that signs nothing.
type desk struct {
	*statuslist.Lists
	rev    *revocation.Redis
	client redis.UniversalClient
	kid    atomic.Pointer[string]
	signed atomic.Int64

	mu  sync.Mutex
	now time.Time // guarded by mu
}

func onEach(t *testing.T, test func(t *testing.T, d *desk)) {
	t.Helper()
	t.Run("miniredis", func(t *testing.T) {
		_, client := testkit.MustMini(t)
		test(t, mustDesk(t, client))
	})
	t.Run("redis-server", func(t *testing.T) {
		test(t, mustDesk(t, testkit.MustClient(t, testkit.MustStartRedis(t).Addr)))
	})
}

func mustMiniDesk(t testing.TB) (*miniredis.Miniredis, *desk) {
	t.Helper()
	m, client := testkit.MustMini(t)
	return m, mustDesk(t, client)
}

func mustDesk(t testing.TB, client redis.UniversalClient) *desk {
	t.Helper()
	d := &desk{client: client, now: time.Now()}
	d.kid.Store(new("k1"))
	var err error
	d.rev, err = revocation.NewRedis(client, "t:", revocation.Settings{Own: issuer, Leeway: 10 * time.Second})
	if err == nil {
		err = d.rev.Open(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	d.mustFollow(t)
	return d
}

// mustFollow gives the desk new lists, as a process that has just started has.
func (d *desk) mustFollow(t testing.TB) {
	t.Helper()
	ledger := statuslist.NewLedger(nil)
	feed, err := revocation.NewFeed(revocation.FeedConfig{
		Client: d.client, Prefix: "t:", Block: 50 * time.Millisecond, Deadline: 5 * time.Second,
		Apply: ledger.Apply, Gap: ledger.Gap, Epoch: ledger.Epoch, Level: ledger.Level,
	})
	if err != nil {
		t.Fatal(err)
	}
	d.Lists, err = statuslist.New(statuslist.Config{
		Issuer: issuer, Base: issuer, AccessTTL: 5 * time.Minute, Leeway: 10 * time.Second, Ledger: ledger, Now: d.clock,
		Index: store.NewStatusLists(d.client, "t:"), Things: d.rev.Things,
		Head: func(ctx context.Context) (uint64, error) { e, err := d.rev.Epoch(ctx); return e.N, err },
		Sign: func(_ context.Context, payload []byte, typ string) (string, string, error) {
			d.signed.Add(1)
			b64 := base64.RawURLEncoding.EncodeToString
			return b64([]byte(`{"typ":"`+typ+`"}`)) + "." + b64(payload) + ".", *d.kid.Load(), nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- feed.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	d.mustCatchUp(t)
}

func (d *desk) clock() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

func (d *desk) advance(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = d.now.Add(by)
}

// mustCatchUp waits until the lists know what the store knows, and lets documents
// become too old.
func (d *desk) mustCatchUp(t testing.TB) {
	t.Helper()
	e, err := d.rev.Epoch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	testkit.MustAwait(t, "the feed is read", func() bool { return d.Ready() == nil && d.Ledger.N() >= e.N })
	d.advance(3 * time.Second)
}

// issued is a token with its place.
type issued struct {
	statuslist.Token
	kid  string
	list string
	at   int
}

func (d *desk) mustBind(t testing.TB, token statuslist.Token) issued {
	t.Helper()
	out := issued{Token: token}
	var err error
	_, out.kid, err = d.Bind(t.Context(), token, func(r statuslist.Reference) (string, string, error) {
		list, ours := strings.CutPrefix(r.URI, issuer+statuslist.ListPath)
		if !ours {
			t.Errorf("uri %q", r.URI)
		}
		out.list, out.at = list, r.Index
		return "raw", *d.kid.Load(), nil
	})
	if err != nil {
		t.Fatalf("bind: %v", err)
	}
	return out
}

// token is a fresh token of a session born now.
func (d *desk) token(t testing.TB, jti, subject string) statuslist.Token {
	t.Helper()
	birth, err := d.rev.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().Truncate(time.Second)
	return statuslist.Token{JTI: jti, SID: revocation.NewSessionID(birth), Subject: subject, IssuedAt: now, ExpiresAt: now.Add(5 * time.Minute)}
}

func (d *desk) mustRevoke(t testing.TB, o revocation.Order) revocation.Revocation {
	t.Helper()
	r, err := d.rev.Revoke(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// bits fetches a list and decodes it.
func (d *desk) bits(t testing.TB, name string) []byte {
	t.Helper()
	doc, err := d.List(t.Context(), name)
	if err != nil {
		t.Fatalf("list %s: %v", name, err)
	}
	var claims struct {
		Sub  string
		List struct{ Lst string } `json:"status_list"`
	}
	decode(t, doc.Body, &claims)
	if claims.Sub != issuer+statuslist.ListPath+name {
		t.Errorf("sub %q", claims.Sub)
	}
	compressed, err := base64.RawURLEncoding.DecodeString(claims.List.Lst)
	if err != nil {
		t.Fatal(err)
	}
	r, err := zlib.NewReader(bytes.NewReader(compressed))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (d *desk) invalid(t testing.TB, i issued) bool {
	t.Helper()
	return d.bits(t, i.list)[i.at/8]>>(i.at%8)&1 == 1
}

func decode(t testing.TB, raw []byte, into any) {
	t.Helper()
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(string(raw), ".")[1])
	if err == nil {
		err = json.Unmarshal(payload, into)
	}
	if err != nil {
		t.Fatalf("document %q: %v", raw, err)
	}
}
