package statuslist_test

import (
	"fmt"
	"testing"
	"time"

	"tollgate/issuer/statuslist"
	"tollgate/revocation"
)

// page is a page as a reader decodes it.
type page struct {
	Epoch          string
	From, To, Next uint64
	More, Reset    bool
	Events         []statuslist.Event
}

func (d *desk) page(t testing.TB, after uint64, epoch string) (p page) {
	t.Helper()
	doc, err := d.Revocations(t.Context(), after, epoch)
	if err != nil {
		t.Fatalf("after %d: %v", after, err)
	}
	if doc.MaxAge > time.Second {
		t.Errorf("kept for %s", doc.MaxAge)
	}
	decode(t, doc.Body, &p)
	return p
}

// TestReaderFollows: page after page, a reader knows what is in force, of our issuer
// alone.
func TestReaderFollows(t *testing.T) {
	onEach(t, func(t *testing.T, d *desk) {
		const count = 2300
		for i := range count {
			o := revocation.Order{Kind: revocation.KindJTI, Value: fmt.Sprint(i)}
			if i%10 == 0 {
				o.Issuer = "https://other.example"
			}
			d.mustRevoke(t, o)
		}
		d.mustCatchUp(t)
		inForce, after, epoch, pages := map[string]int64{}, uint64(0), "", 0
		read := func() {
			for more := true; more; pages++ {
				p := d.page(t, after, epoch)
				if p.Reset || p.From != after || p.Next != p.To || len(p.Events) > statuslist.PageLimit {
					t.Fatalf("page from %d to %d, next %d, %d events, reset %t", p.From, p.To, p.Next, len(p.Events), p.Reset)
				}
				for _, e := range p.Events {
					if e.N <= after || e.N > p.To || e.Undone != (e.Cut == 0) || e.Kind != revocation.KindJTI || e.ExpiresAt == 0 {
						t.Fatalf("after %d: %+v", after, e)
					}
					inForce[e.JTI] = e.Cut
				}
				after, epoch, more = p.Next, p.Epoch, p.More
			}
		}
		read()
		if len(inForce) != count/10*9 || pages != 3 || inForce["1"] == 0 || after != count {
			t.Errorf("%d in force after %d pages", len(inForce), pages)
		}
		r := d.mustRevoke(t, revocation.Order{Kind: revocation.KindJTI, Value: "1"}) // stands already
		if _, err := d.rev.Undo(t.Context(), r.ID); err != nil {
			t.Fatal(err)
		}
		d.mustCatchUp(t)
		read()
		if cut, known := inForce["1"]; cut != 0 || !known {
			t.Error("the undo was not told")
		}
	})
}

// TestKindsOfEvents: each thing stands in the member of its kind.
func TestKindsOfEvents(t *testing.T) {
	_, d := mustMiniDesk(t)
	digest := revocation.DigestOf(issuer, revocation.KindSigned, "head.claims").String()
	want := []statuslist.Event{
		{Kind: revocation.KindJTI, JTI: "x"}, {Kind: revocation.KindSession, SID: "x"}, {Kind: revocation.KindSubject, Subject: "x"},
		{Kind: revocation.KindKey, KeyID: "x"}, {Kind: revocation.KindAll, All: true}, {Kind: revocation.KindSigned, Digest: digest},
	}
	for _, e := range want {
		o := revocation.Order{Kind: e.Kind, Value: "x"}
		switch e.Kind {
		case revocation.KindAll:
			o.Value = ""
		case revocation.KindSigned:
			o.Value = "head.claims"
		}
		d.mustRevoke(t, o)
	}
	d.mustCatchUp(t)
	got := d.page(t, 0, "").Events
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i, e := range got {
		if e.Cut == 0 || (e.ExpiresAt == 0) != (e.Kind == revocation.KindKey) {
			t.Errorf("%+v", e)
		}
		want[i].N, want[i].Cut, want[i].ExpiresAt = uint64(i+1), e.Cut, e.ExpiresAt
		if e != want[i] {
			t.Errorf("%+v, want %+v", e, want[i])
		}
	}
}

// TestEntriesWithoutDetail: a record whose entry is gone before its time, or is kept
// without its id, is told by its digest: whose it is nobody knows.
func TestEntriesWithoutDetail(t *testing.T) {
	_, d := mustMiniDesk(t)
	for _, value := range []string{"evicted", "restored"} {
		d.mustRevoke(t, revocation.Order{Kind: revocation.KindSession, Value: value})
	}
	name := func(value string) string { return revocation.DigestOf(issuer, revocation.KindSession, value).String() }
	d.client.Del(t.Context(), "t:{rev}:e:"+name("evicted"))
	d.client.HSet(t.Context(), "t:{rev}:e:"+name("restored"), "iss", "", "id", "")
	d.mustCatchUp(t)
	events := d.page(t, 0, "").Events
	if len(events) != 2 || events[0].Digest != name("evicted") || events[1].Digest != name("restored") {
		t.Errorf("%+v", events)
	}
}

// TestStartOver: whoever cannot go on from where he is, is told so; whoever is only
// ahead of this process is not.
func TestStartOver(t *testing.T) {
	_, d := mustMiniDesk(t)
	for i := range 5 {
		d.mustRevoke(t, revocation.Order{Kind: revocation.KindJTI, Value: fmt.Sprint(i)})
	}
	d.mustCatchUp(t)
	epoch := d.page(t, 0, "").Epoch
	for _, tt := range []struct {
		after uint64
		epoch string
		reset bool
	}{{0, epoch, false}, {5, epoch, false}, {5, "", false}, {6, epoch, true}, {6, "", true}, {5, "ffffffff", true}, {0, "ffffffff", true}} {
		d.advance(time.Second)
		p := d.page(t, tt.after, tt.epoch)
		if p.Reset != tt.reset || tt.reset && (p.Next != 0 || !p.More || len(p.Events) != 0 || p.Epoch != epoch) {
			t.Errorf("after %d of %q: %+v", tt.after, tt.epoch, p)
		}
	}
	// Another process has read record 6; this one has not heard of it.
	d.client.HIncrBy(t.Context(), "t:{rev}:epoch", "n", 1)
	d.advance(time.Second)
	if p := d.page(t, 6, epoch); p.Reset && d.Ledger.N() == 5 {
		t.Errorf("ahead of this process: %+v", p)
	}
	// A process that started when the feed began later.
	d.client.XTrimMaxLen(t.Context(), "t:{rev}:feed", 2)
	d.client.HSet(t.Context(), "t:{rev}:epoch", "n", 5, "trimmed", 3)
	d.mustFollow(t)
	for after, reset := range map[uint64]bool{0: false, 1: true, 2: true, 3: false, 4: false} {
		if p := d.page(t, after, ""); p.Reset != reset {
			t.Errorf("after %d of a feed that begins at 4: %+v", after, p)
		}
	}
}
