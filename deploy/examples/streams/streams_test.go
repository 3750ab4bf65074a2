//go:build interop

package streams_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"tollgate/internal/testkit/interop"
)

func TestStreams(t *testing.T) {
	p := mustPrograms(t)
	t.Run("plain", func(t *testing.T) { p.checkTraffic(t, nil) })
	t.Run("TLS", func(t *testing.T) { p.checkTraffic(t, interop.MustCertificate(t)) })
	t.Run("revocation", p.checkRevocation)
	t.Run("expiry", p.checkExpiry)
}

// checkTraffic lets every kind of stream flow, over TLS if there is a certificate.
func (p *programs) checkTraffic(t *testing.T, cert *interop.Certificate) {
	settings := interop.Env{}
	if cert != nil {
		settings["TLS_CERT_FILE"], settings["TLS_KEY_FILE"] = cert.CertFile, cert.KeyFile
	}
	g := p.mustServe(t, settings)
	if cert != nil {
		g.Client = cert.MustClient(t)
	}
	user := g.MustAddUser(t, "ada")
	token := g.MustLogIn(t, "ada").Access
	t.Run("WebSocket", func(t *testing.T) { p.checkSocket(t, g, token, user) })
	t.Run("event stream", func(t *testing.T) { p.checkEvents(t, g, token, user) })
	t.Run("gRPC", func(t *testing.T) { p.checkCalls(t, g, token, user) })
}

func (p *programs) checkSocket(t *testing.T, g *interop.Tollgate, token, user string) {
	for _, flags := range [][]string{nil, {"--browser"}} {
		s := p.socket(t, g, token, flags...)
		if got, want := s.MustHear(t, "open", "refused").Text("open"), strings.Join(flags, ""); got != map[string]string{"": "", "--browser": "bearer"}[want] {
			t.Errorf("the subprotocol is %q", got)
		}
		var hello struct{ User, Offered string }
		if err := json.Unmarshal([]byte(s.MustHear(t, "message").Text("message")), &hello); err != nil || hello.User != user || hello.Offered != "" {
			t.Errorf("%v %v: the back end saw %+v", flags, err, hello)
		}
		for _, text := range []string{"hello", "grüße €", strings.Repeat("long ", 20_000)} {
			s.MustSay(t, text)
			if got := s.MustHear(t, "message").Text("message"); got != text {
				t.Errorf("%d bytes came back for %d", len(got), len(text))
			}
		}
		s.MustSay(t, "bytes 3000000")
		if got := s.MustHear(t, "bytes").Text("bytes"); got != "3e+06" {
			t.Errorf("%s bytes came back for 3000000", got)
		}
		s.MustSay(t, "ping")
		if got := s.MustHear(t, "pong").Text("pong"); got != "are you there" {
			t.Errorf("pong %q", got)
		}
		s.MustSay(t, "leave")
		if l := s.MustHear(t, "closed"); l.Text("closed") != "4000" || l.Text("reason") != "as you wish" {
			t.Errorf("the back end's close arrived as %v", l.Object)
		}
	}
	for _, bad := range []string{"", interop.Forged(t, token)} {
		if got := p.socket(t, g, bad).MustHear(t, "open", "refused").Text("refused"); got != "401" {
			t.Errorf("status %q, want 401", got)
		}
	}
}

func (p *programs) checkEvents(t *testing.T, g *interop.Tollgate, token, user string) {
	s := p.events(t, g, token)
	if got := s.MustHear(t, "open", "refused").Text("open"); got != "text/event-stream" {
		t.Fatalf("the media type is %q", got)
	}
	// Each event is sent on at once: one that was held back would come with the
	// next, 200 ms later. A busy machine may be late now and then.
	late := 0
	for n := 1; n <= 5; n++ {
		l := s.MustHear(t, "message", "closed")
		var event struct {
			N    int
			At   int64 // milliseconds
			User string
		}
		if err := json.Unmarshal([]byte(l.Text("message")), &event); err != nil || event.N != n || event.User != user {
			t.Fatalf("%v: event %v, want number %d for user %s", err, l.Object, n, user)
		}
		if l.At.Sub(time.UnixMilli(event.At)) > 150*time.Millisecond {
			late++
		}
	}
	if late > 2 {
		t.Errorf("%d of 5 events were held back", late)
	}
	if got := p.events(t, g, "").MustHear(t, "open", "refused").Text("refused"); got != "401" {
		t.Errorf("status %q, want 401", got)
	}
}

// ended is what the last line of a call says.
func ended(t *testing.T, k *interop.Talk) (code, detail, trailer string) {
	t.Helper()
	l := k.MustHear(t, "status")
	text, _ := json.Marshal(l.Object["trailer"]) // it came as JSON
	return l.Text("status"), l.Text("detail"), string(text)
}

func (p *programs) checkCalls(t *testing.T, g *interop.Tollgate, token, user string) {
	want := func(k *interop.Talk, code, detail, trailer string) {
		t.Helper()
		gotCode, gotDetail, gotTrailer := ended(t, k)
		if gotCode != code || detail != "*" && gotDetail != detail || !strings.Contains(gotTrailer, trailer) {
			t.Errorf("status %s %q %s, want %s %q %s", gotCode, gotDetail, gotTrailer, code, detail, trailer)
		}
	}
	caller := func(k *interop.Talk) {
		t.Helper()
		header, _ := json.Marshal(k.MustHear(t, "header").Object["header"])
		if want := fmt.Sprintf(`"echo-user":["%s"]`, user); !strings.Contains(string(header), want) {
			t.Errorf("metadata %s, want %s", header, want)
		}
	}
	for _, forged := range []string{"", "x-user-id=root", "X-USER-ID=root", "x_user_id=root", "x.user.id=root"} {
		k := p.grpc(t, g, token, "-metadata", forged, "say", "grüße €")
		caller(k)
		if got := k.MustHear(t, "message").Text("message"); got != "grüße €" {
			t.Errorf("%q came back", got)
		}
		want(k, "OK", "", `"echo-messages":["1"]`)
	}
	k := p.grpc(t, g, token, "say", "fail not now: é %41")
	caller(k)
	want(k, "FailedPrecondition", "not now: é %41", `"echo-messages":["1"]`)

	k = p.grpc(t, g, token, "count", "500")
	caller(k)
	for n := 1; n <= 500; n++ {
		if got := k.MustHear(t, "message").Text("message"); got != fmt.Sprint(n) {
			t.Fatalf("message %q, want %d", got, n)
		}
	}
	want(k, "OK", "", `"echo-messages":["all"]`)

	k = p.grpc(t, g, token, "chat")
	caller(k) // the metadata is there before the first message
	for _, text := range []string{"one", "two", strings.Repeat("long ", 10_000)} {
		k.MustSay(t, text)
		if got := k.MustHear(t, "message").Text("message"); got != text {
			t.Errorf("%d bytes came back for %d", len(got), len(text))
		}
	}
	k.MustEnd(t) // half of it: the client has no more to say
	want(k, "OK", "", `"echo-messages":["all"]`)

	// The back end ends the call while the client could still say more.
	k = p.grpc(t, g, token, "chat")
	k.MustSay(t, "fail enough")
	want(k, "FailedPrecondition", "enough", `"echo-messages":["all"]`)

	// The deadline is passed on: on a busy machine the back end's may come first, and
	// what it resets arrives as a reset.
	code, detail, _ := ended(t, p.grpc(t, g, token, "-timeout", "300ms", "count", "0"))
	if code != "DeadlineExceeded" && !strings.Contains(detail, "RST_STREAM") {
		t.Errorf("status %s %q, want DeadlineExceeded", code, detail)
	}
	want(p.grpc(t, g, "", "say", "hello"), "Unauthenticated", "*", "")
	want(p.grpc(t, g, interop.Altered(t, token), "count", "0"), "Unauthenticated", "*", "")
}
