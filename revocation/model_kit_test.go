package revocation

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
)

// world is a store, three processes that are moved by hand, and plain lists that say what
// was acknowledged. Time goes only when it is told to.
type world struct {
	t         *testing.T
	rnd       *rand.Rand
	what      string // the step, for messages
	mini      *miniredis.Miniredis
	client    redis.UniversalClient
	now       time.Time
	step      int
	lost      bool                        // the store has lost something, and that is not mended yet
	lossStep  int                         // in which it last did
	lossEpoch string                      // of then
	lossAt    int64                       // when, in µs
	was       func(redis.Pipeliner) error // puts back what there was before that
	anew      bool                        // somebody has begun anew since all was settled
	lostAgain int                         // something was lost again since then
	again     int                         // losses of what nobody had read since the last one
	store     *Redis                      // of a process without a mirror
	procs     []*modelProc
	said      []*said
	dir       string // of the journal
	tokens    []*Token
}

// said is one acknowledged statement.
type said struct {
	order  Order
	digest Digest
	id     string
	at     int64     // store time (µs)
	ends   time.Time // of its own life, leeway included; zero: never
	entry  time.Time // by which the whole entry was to end when it was said; zero: never
	undone bool
	// told and taken back in which step, and by which process; nil: the one without a mirror.
	made, took     int // took: at first
	maker, taker   *modelProc
	unsure, undoes bool // a loss may have taken it along, or its undo: nobody alive had read it
}

// modelProc is a process with a mirror that does nothing by itself.
type modelProc struct {
	*Mirror
	reader   *feedReader
	level    int // the step in which all was read that there was
	before   int // that, when the last loss came
	prepared []*Prepared
	journal  *Journal // of the first process
}

const modelLeeway = 2 * time.Second

func newWorld(t *testing.T, seed uint64) *world {
	t.Helper()
	w := &world{t: t, rnd: rand.New(rand.NewPCG(seed, 4)), now: time.Now().Truncate(time.Second), dir: t.TempDir()}
	w.mini, w.client = testkit.MustMini(t)
	w.mini.SetTime(w.now)
	w.store = w.newStore()
	if err := w.store.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.forward(time.Second)
	for i := range 3 {
		p := &modelProc{}
		w.procs = append(w.procs, p)
		if i == 0 {
			p.journal = w.openJournal()
		}
		w.begin(p)
	}
	for i := range 6 {
		w.addToken(i)
	}
	return w
}

func (w *world) newStore() *Redis {
	s, err := NewRedis(w.client, "tg:", Settings{Own: "o", Leeway: modelLeeway, AccessLife: 20 * time.Second, SessionLife: time.Minute})
	if err != nil {
		w.t.Fatal(err)
	}
	s.shutPatience = 0
	return s
}

// begin gives a process a new life, with what its journal has kept.
func (w *world) begin(p *modelProc) {
	cfg := MirrorConfig{Store: w.newStore(), Client: w.client, Prefix: "tg:", Now: func() time.Time { return w.now }}
	if p.journal != nil {
		cfg.Journal = p.journal
	}
	m, err := NewMirror(cfg)
	if err == nil && p.journal != nil {
		err = m.Load(p.journal)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	*p = modelProc{Mirror: m, reader: newFeedReader(m.feed, maxPage), level: -1, before: -1, journal: p.journal}
	for _, tok := range w.tokens {
		p.prepared = append(p.prepared, m.Prepare(tok))
	}
}

func (w *world) openJournal() *Journal {
	j, err := OpenJournal(filepath.Join(w.dir, "journal"), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = j.Close() })
	return j
}

// restart ends a process's life and begins another. One that knew something which the store
// may have lost is let end in peace.
func (w *world) restart(p *modelProc) {
	switch {
	case p.journal == nil || w.lostAgain > 0: // who began what was lost again has to live: guarantees.md
		w.settle()
	case w.lost || w.rnd.IntN(2) == 0:
		p.keepOnce(w.t.Context())
	default:
		w.settle()
	}
	if p.journal != nil {
		if err := p.journal.Close(); err != nil {
			w.t.Fatal(err)
		}
		p.journal = w.openJournal()
	}
	before := p.before
	w.anew = true
	w.begin(p)
	if w.lost { // what it had read it has kept
		p.before = before
	}
}

// isLevel says whether p has just now read all.
func (w *world) isLevel(p *modelProc) bool {
	v := p.view.Load()
	return v.level && v.sent.at.Equal(w.now)
}

// addToken puts a token in place i that is born now; its session and subject are shared
// with others.
func (w *world) addToken(i int) {
	born, err := w.store.Now(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	tok := &Token{JTI: fmt.Sprint("j", i), SID: fmt.Sprint("s", i/2), Subject: fmt.Sprint("u", i/3), KeyID: fmt.Sprint("k", i%2), Born: born, IssuedAt: born / microsPerSecond, Own: true}
	if i%2 == 1 {
		tok.Born = 0
	}
	if i >= len(w.tokens) {
		w.tokens = append(w.tokens, tok)
		for _, p := range w.procs {
			p.prepared = append(p.prepared, nil)
		}
	}
	w.tokens[i] = tok
	for _, p := range w.procs {
		p.prepared[i] = p.Prepare(tok)
	}
}

// forward lets time go.
func (w *world) forward(d time.Duration) {
	w.mini.FastForward(d)
	w.now = w.now.Add(d)
	w.mini.SetTime(w.now)
}

// writer is somebody who may write; a process, or nil for the one without a mirror.
func (w *world) writer() (Store, *modelProc) {
	i := w.rnd.IntN(len(w.procs) + 1)
	if i == len(w.procs) {
		return w.store, nil
	}
	return w.procs[i], w.procs[i]
}

// revoke has somebody say something.
func (w *world) revoke() {
	store, who := w.writer()
	i := w.rnd.IntN(len(w.tokens))
	o := Order{Kind: Kinds()[w.rnd.IntN(len(Kinds()))], Reason: "why"}
	switch o.Kind {
	case KindJTI:
		o.Value = fmt.Sprint("j", i)
	case KindSession:
		o.Value = fmt.Sprint("s", i/2)
	case KindSubject:
		o.Value = fmt.Sprint("u", i/3)
	case KindKey:
		o.Value = fmt.Sprint("k", i%2)
	case KindSigned:
		o.Value = "nobody's"
	}
	if w.rnd.IntN(3) > 0 {
		o.ExpiresAt = w.now.Add(time.Duration(w.rnd.IntN(40_000)-1000) * time.Millisecond)
	}
	r, err := store.Revoke(w.t.Context(), o)
	if w.lost && errors.Is(err, ErrShut) {
		return // and nothing was acknowledged
	}
	if err != nil {
		w.t.Fatalf("%s: revoke: %v", w.what, err)
	}
	d, _, _ := parseID(r.ID)
	s := &said{order: o, digest: d, id: r.ID, at: r.RevokedAt.UnixMicro(), made: w.step, maker: who}
	if !r.ExpiresAt.IsZero() {
		s.ends = r.ExpiresAt.Add(modelLeeway)
		s.entry = w.now.Add(w.mini.TTL(w.store.names.entry(d)))
	}
	for _, other := range w.said {
		if other.id == s.id { // said before, and stands for longer now, perhaps
			*s, other.id = *other, ""
			blind := s.undone && who == nil // the store has lost the undo; a process with a mirror notices
			s.undone, s.undoes = false, blind
			if s.ends = r.ExpiresAt.Add(modelLeeway); r.ExpiresAt.IsZero() {
				s.ends = time.Time{}
			}
			s.entry, s.made, s.maker, s.id, s.unsure = w.now.Add(w.mini.TTL(w.store.names.entry(d))), w.step, who, r.ID, blind
		}
	}
	w.said = append(w.said, s)
}

// undo has somebody take something back.
func (w *world) undo() {
	if len(w.said) == 0 {
		return
	}
	store, who := w.writer()
	s := w.said[w.rnd.IntN(len(w.said))]
	if s.id == "" {
		return
	}
	switch r, err := store.Undo(w.t.Context(), s.id); {
	case errors.Is(err, ErrNotFound): // over, or put back without its time
	case w.lost && errors.Is(err, ErrShut):
	case err != nil:
		w.t.Fatalf("%s: undo: %v", w.what, err)
	default:
		for _, other := range w.said { // of a thing with a name there is one statement at a time
			same := other == s || !s.order.Kind.CutOff() && other.digest == s.digest
			// An undo in a store that has lost another cut-off of the same subject or issuer,
			// before that was put back, counts for that one, too: decision 142.
			other.unsure = other.unsure || w.lost && other != s && other.digest == s.digest
			if same && other.at <= r.UndoneAt.UnixMicro() && !other.undone {
				other.undone, other.took, other.taker, other.undoes = true, w.step, who, false
			}
		}
	}
}

// scan has a process read once.
func (w *world) scan(p *modelProc) {
	if w.rnd.IntN(2) == 0 {
		p.reader.page = 1 + w.rnd.IntN(3)
	} else {
		p.reader.page = maxPage
	}
	end, err := p.reader.scan(w.t.Context(), time.Minute)
	if err != nil && !errors.Is(err, errNoEpoch) {
		w.t.Fatalf("%s: scan: %v", w.what, err)
	}
	if err != nil { // as Run does
		p.failed(err)
	}
	if end && w.isLevel(p) {
		p.level = w.step
	}
	if p.journal != nil && w.rnd.IntN(2) == 0 {
		p.keepOnce(w.t.Context())
	}
}

// mend has a process do what it does about losses, if there is one.
func (w *world) mend(p *modelProc) {
	_, err := p.tellLoss(w.t.Context())
	if err == nil {
		err = p.openShut(w.t.Context())
	}
	if err == nil {
		err = p.share(w.t.Context())
	}
	if err == nil {
		err = p.putBack(w.t.Context())
	}
	if err != nil && !errors.Is(err, errOtherEpoch) {
		w.t.Fatalf("%s: mend: %v", w.what, err)
	}
}
