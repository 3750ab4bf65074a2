package http1

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
)

// handlers do with an answer whatever may be done.
var handlers = map[string]http.HandlerFunc{
	"nothing": func(http.ResponseWriter, *http.Request) {},
	"text":    func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") },
	"guessed": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>hello") },
	"no guess": func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = nil
		_, _ = w.Write([]byte("x"))
	},
	"encoded": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write([]byte("x"))
	},
	"status": func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(418)
		w.WriteHeader(200)
		_, _ = w.Write([]byte("tea"))
	},
	"unknown status": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(599) },
	"no content": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "3")
		w.WriteHeader(204)
	},
	"not modified": func(w http.ResponseWriter, _ *http.Request) {
		plain(w)
		w.Header().Set("Etag", `"a"`)
		w.WriteHeader(304)
	},
	"body not allowed": func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(204)
		_, err := w.Write([]byte("x"))
		want(err, http.ErrBodyNotAllowed)
	},
	"length": func(w http.ResponseWriter, _ *http.Request) {
		plain(w)
		w.Header().Set("Content-Length", "5")
		_, _ = io.WriteString(w, "hello")
	},
	"length, in parts": func(w http.ResponseWriter, _ *http.Request) {
		plain(w)
		w.Header().Set("Content-Length", "9000")
		parts(w, 9, 1000)
	},
	"length, too long": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "2")
		_, err := w.Write([]byte("xyz"))
		want(err, http.ErrContentLength)
		_, _ = w.Write([]byte("ab"))
	},
	"length, long": func(w http.ResponseWriter, _ *http.Request) {
		plain(w)
		w.Header().Set("Content-Length", "300000")
		parts(w, 3, 100000)
	},
	"chunks":   func(w http.ResponseWriter, _ *http.Request) { plain(w); parts(w, 10, 1000) },
	"one long": func(w http.ResponseWriter, _ *http.Request) { plain(w); parts(w, 1, 200000) },
	"flushed": func(w http.ResponseWriter, _ *http.Request) {
		plain(w)
		parts(w, 1, 10)
		w.(http.Flusher).Flush()
		parts(w, 2, 10)
	},
	"flushed first": func(w http.ResponseWriter, _ *http.Request) { plain(w); w.(http.Flusher).Flush() },
	"empty writes":  func(w http.ResponseWriter, _ *http.Request) { plain(w); parts(w, 3, 0) },
	"trailer": func(w http.ResponseWriter, _ *http.Request) {
		plain(w)
		w.Header().Set("Trailer", "A, b")
		parts(w, 1, 10)
		w.Header().Set("A", "1")
		w.Header().Set("B", "2")
	},
	"trailer by prefix": func(w http.ResponseWriter, _ *http.Request) {
		plain(w)
		parts(w, 3, 1000)
		w.Header().Set(http.TrailerPrefix+"A", "1")
	},
	"trailer, no body": func(w http.ResponseWriter, _ *http.Request) {
		plain(w)
		w.Header().Set("Trailer", "A")
		w.WriteHeader(200)
		w.Header().Set("A", "1")
	},
	"early hints": func(w http.ResponseWriter, _ *http.Request) {
		plain(w)
		w.Header().Set("Link", "x")
		w.WriteHeader(103)
		w.WriteHeader(200)
		parts(w, 1, 3)
	},
	"close": func(w http.ResponseWriter, _ *http.Request) {
		plain(w)
		w.Header().Set("Connection", "close")
		parts(w, 1, 3)
	},
	"line ends": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("A", "x\r\nB: y\nz ")
		w.Header()["Bad Name"] = []string{"x"}
		w.Header()[""] = []string{"x"}
	},
	"many values": func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Set-Cookie"] = []string{"a=1", "b=2"}
		w.Header()["x-lower"] = []string{"1"}
	},
	"own date": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Date", "then"); plain(w) },
	"after the header": func(w http.ResponseWriter, _ *http.Request) {
		plain(w)
		w.WriteHeader(200)
		w.Header().Set("Late", "x")
		parts(w, 1, 3)
	},
	"the body sent back": func(w http.ResponseWriter, r *http.Request) { plain(w); _, _ = io.Copy(w, r.Body) },
	"a part of the body": func(w http.ResponseWriter, r *http.Request) { plain(w); _, _ = io.CopyN(w, r.Body, 2) },
	"the body closed": func(w http.ResponseWriter, r *http.Request) {
		_ = r.Body.Close()
		_, err := r.Body.Read(make([]byte, 1))
		if r.ContentLength > 0 {
			want(err, http.ErrBodyReadAfterClose)
		}
	},
	"form": func(w http.ResponseWriter, r *http.Request) {
		plain(w)
		fmt.Fprint(w, r.FormValue("a"), r.URL.Query().Get("q"))
	},
}

// A length that is none, or a coding that is not the handler's to choose, is left out.
func TestFramingIsOurs(t *testing.T) {
	for name, value := range map[string]string{"Content-Length": "two", "Transfer-Encoding": "chunked"} {
		r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set(name, value)
			parts(w, 1, 3)
		}))
		nc, in := r.dial()
		r.send(nc, requests["get"])
		if res, body := r.read(in, "GET"); res.ContentLength != 3 || body != "aaa" {
			t.Errorf("%s: %+v %q", name, res, body)
		}
	}
}

func plain(w http.ResponseWriter) { w.Header().Set("Content-Type", "text/plain") }

func parts(w io.Writer, n, size int) {
	for i := range n {
		_, _ = w.Write([]byte(strings.Repeat(string(rune('a'+i)), size)))
	}
}

func want(err, as error) {
	if !errors.Is(err, as) {
		panic(fmt.Sprintf("%v, want %v", err, as))
	}
}

var requests = map[string]string{
	"get":  "GET /?q=x HTTP/1.1\r\nHost: x\r\n\r\n",
	"head": "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n",
	"post": "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 5\r\n\r\na=123",
}

// A client can tell no difference to net/http's server, two requests on one
// connection.
func TestAnswersAsStandard(t *testing.T) {
	for name, h := range handlers {
		for kind, text := range requests {
			if kind == "head" && (name == "one long" || name == "chunks") {
				continue // here the length of what was not sent is known
			}
			t.Run(name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				standard := httptest.NewServer(h)
				defer standard.Close()
				r := newRig(t, h)
				got, wanted := exchange(t, r.addr, text), exchange(t, standard.Listener.Addr().String(), text)
				if !reflect.DeepEqual(got, wanted) {
					t.Errorf("\ngot  %+v\nwant %+v", got, wanted)
				}
			})
		}
	}
}

// seen is what a client sees of an answer.
type seen struct {
	Early   []int
	Status  string
	Header  http.Header
	Length  int64
	Coding  []string
	Close   bool
	Body    string
	Trailer http.Header
	Fault   bool
}

func exchange(t *testing.T, addr, text string) (all []seen) {
	t.Helper()
	r := &rig{T: t, addr: addr}
	nc, in := r.dial()
	method, _, _ := strings.Cut(text, " ")
	for range 2 {
		if _, err := io.WriteString(nc, text); err != nil {
			return append(all, seen{Fault: true})
		}
		var s seen
		for {
			res, err := http.ReadResponse(in, &http.Request{Method: method})
			if err != nil {
				return append(all, seen{Fault: true})
			}
			if res.StatusCode < 200 {
				s.Early = append(s.Early, res.StatusCode)
				continue
			}
			body, err := io.ReadAll(res.Body)
			if date := res.Header.Get("Date"); date != "then" {
				if _, bad := http.ParseTime(date); bad != nil {
					t.Errorf("Date %q", date)
				}
				res.Header.Del("Date")
			}
			s.Status, s.Header, s.Length, s.Coding, s.Close = res.Status, res.Header, res.ContentLength, res.TransferEncoding, res.Close
			s.Body, s.Trailer, s.Fault = string(body), res.Trailer, err != nil
			break
		}
		all = append(all, s)
	}
	return all
}

// httputil's proxy goes through the lane, with an answer that breaks off: a part
// must not pass for the whole.
func TestProxyCutsABrokenAnswer(t *testing.T) {
	back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		parts(w, 1, 5000)
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}))
	defer back.Close()
	to, _ := url.Parse(back.URL)
	r := newRig(t, &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(to) }})
	nc, in := r.dial()
	r.send(nc, requests["get"])
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(res.Body); err == nil {
		t.Error("the answer looks whole")
	}
	if r.log.String() != "" {
		t.Errorf("logged: %s", r.log)
	}
}

func TestDeadlinesOfTheHandler(t *testing.T) {
	got := make(chan error, 1)
	r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength == 0 {
			return
		}
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		_, err := io.ReadAll(r.Body)
		got <- err
	}))
	nc, in := r.dial()
	r.send(nc, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab")
	var late net.Error
	if err := <-got; !errors.As(err, &late) || !late.Timeout() {
		t.Errorf("%v", err)
	}
	if res, _ := r.read(in, "POST"); !res.Close {
		t.Error("the connection stays, with half a body on it")
	}
}
