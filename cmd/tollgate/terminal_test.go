package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
)

// typing is standard input at which somebody sits: the first read says so and waits.
type typing struct{ waits, end chan struct{} }

func (t typing) Read([]byte) (int, error) {
	close(t.waits)
	<-t.end
	return 0, io.EOF
}

// TestInterruptedWhileReading: whoever is asked for something can leave by Ctrl-C, and
// nothing is done.
func TestInterruptedWhileReading(t *testing.T) {
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked = append(asked, r.URL.Path) }))
	defer server.Close()
	t.Setenv(adminTokenVariable, "0123456789abcdef")
	for _, args := range [][]string{
		{"token", "explain", "-"}, {"token", "inspect", "-"}, {"revoke", "token", "-", "--yes"}, {"users", "add", "ada", "--password-stdin"},
		{"users", "passwd", "ada", "--password-stdin"}, {"users", "import", "-"},
	} {
		in := typing{make(chan struct{}), make(chan struct{})}
		go func() {
			<-in.waits
			_ = syscall.Kill(os.Getpid(), syscall.SIGINT)
		}()
		var out, told bytes.Buffer
		code := run(append(args, "--server", server.URL), in, &out, &told)
		close(in.end)
		if code != exitRefused || out.Len() > 0 || !strings.HasSuffix(told.String(), "interrupted: nothing was done\n") {
			t.Errorf("%v: exit %d, %q, %q", args, code, out.String(), told.String())
		}
	}
	if len(asked) > 0 {
		t.Errorf("the server was asked: %v", asked)
	}
}

// TestInterruptedRequest: an answer that nobody waited for says nothing against the
// server, and of a change that it may have been made.
func TestInterruptedRequest(t *testing.T) {
	for method, want := range map[string]string{"GET": "interrupted", "POST": "interrupted: whether it was done is not known", "DELETE": "interrupted: whether it was done is not known"} {
		for _, begun := range []bool{false, true} {
			ctx, cancel := context.WithCancel(t.Context())
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if begun {
					_, _ = io.WriteString(w, "{")
					_ = http.NewResponseController(w).Flush()
				}
				cancel()
				<-r.Context().Done()
			}))
			a := &adminClient{base: server.URL, http: server.Client()}
			if err := a.call(ctx, method, "/", nil, nil); codeOf(err) != exitRefused || err.Error() != want {
				t.Errorf("%s, begun %t: exit %d, %v", method, begun, codeOf(err), err)
			}
			cancel()
			server.Close()
		}
	}
}

// TestUnansweredNamesTheListener: nobody is sent to look at the wrong one.
func TestUnansweredNamesTheListener(t *testing.T) {
	t.Setenv(adminTokenVariable, "0123456789abcdef")
	const where = "http://127.0.0.1:1" // a port that nobody is given by chance
	for flag, args := range map[string][]string{"--server": {"keys", "list"}, "--url": {"keys", "jwks"}} {
		code, _, told := tell("", append(args, flag, where)...)
		if code != exitUnreachable || !strings.Contains(told, "is "+flag+" its") {
			t.Errorf("%v: exit %d, %s", args, code, told)
		}
	}
}

// TestInterruptibleIsTransparent: all that comes is read, and then the fault or the end.
func TestInterruptibleIsTransparent(t *testing.T) {
	text := strings.Repeat("0123456789", readAtOnce/5)
	got, err := io.ReadAll(&interruptible{from: strings.NewReader(text)})
	if err != nil || string(got) != text {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	broken := errors.New("broken")
	if _, err := io.ReadAll(&interruptible{from: io.MultiReader(strings.NewReader("x"), iotest.ErrReader(broken))}); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

// TestClientFaultsAreOurs: what is wrong on this side is not said of the server, and what
// may be a secret is not repeated.
func TestClientFaultsAreOurs(t *testing.T) {
	for _, c := range []struct{ token, server, want string }{
		{"0123456789abcdef\nx", "http://127.0.0.1:1", adminTokenVariable}, {"0123456789abcdef", "http://ops:opensesame@127.0.0.1:1", "--server has a user or a password"},
	} {
		t.Setenv(adminTokenVariable, c.token)
		code, _, told := tell("", "users", "list", "--server", c.server)
		if code != exitUsage || !strings.Contains(told, c.want) || strings.Contains(told, "opensesame") || strings.Contains(told, "0123") {
			t.Errorf("%q: exit %d, %s", c.server, code, told)
		}
	}
}

// TestFullDiskIsAFailure, and no mistake of who has typed the command.
func TestFullDiskIsAFailure(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("there is no /dev/full")
	}
	defer func() { _ = full.Close() }()
	for _, args := range [][]string{{"version"}, {"config", "env", "-o", "json"}, {"completion", "bash"}} {
		var told bytes.Buffer
		if code := run(args, strings.NewReader(""), full, &told); code != exitRefused || !strings.Contains(told.String(), "no space left") {
			t.Errorf("%v: exit %d, %s", args, code, told.String())
		}
	}
}
