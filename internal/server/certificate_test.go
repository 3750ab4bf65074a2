package server_test

import (
	"context"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/internal/server"
)

const day = 24 * time.Hour

func TestCertificateFaults(t *testing.T) {
	good, other := mustFiles(t, "good"), mustFiles(t, "other")
	write := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		mustWrite(t, path, []byte(text))
		return path
	}
	block := func(kind, content string) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: []byte(content)}))
	}
	missing := filepath.Join(t.TempDir(), "missing.pem")
	const quoted = "hunter2" // stands for content
	tests := []struct {
		name, cert, key string
		names           []string // files in the error
		want            string
	}{
		{"missing certificate", missing, good.key, []string{missing}, "no such file"},
		{"missing key", good.cert, missing, []string{missing}, "no such file"},
		{"a directory", good.dir, good.key, []string{good.dir}, "is a directory"},
		{"empty certificate", write("c", ""), good.key, []string{"/c"}, "has no certificate in it"},
		{"text", write("c", quoted), good.key, []string{"/c"}, "has no certificate in it"},
		{"certificate that is none", write("c", block("CERTIFICATE", quoted)), good.key, []string{"/c"}, "cannot be read"},
		{"the two confused", good.key, good.cert, []string{good.key}, "has no certificate in it"},
		{"certificate twice", good.cert, good.cert, []string{good.cert}, "has no private key in it"},
		{"another block", good.cert, write("k", block("HUNTER2", quoted)), []string{"/k"}, "has no private key in it"},
		{"encrypted", good.cert, write("k", block("ENCRYPTED PRIVATE KEY", quoted)), []string{"/k"}, "is encrypted"},
		{"encrypted, old form", good.cert, write("k", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\naHVudGVyMg==\n-----END RSA PRIVATE KEY-----\n"), []string{"/k"}, "is encrypted"},
		{"key that is none", good.cert, write("k", block("EC PRIVATE KEY", quoted)), []string{"/k"}, "cannot be read"},
		{"of another", good.cert, other.key, []string{good.cert, other.key}, "do not belong together"},
		{"endless", "/dev/zero", good.key, []string{"/dev/zero"}, "longer than 1 MiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := server.LoadCertificate(tt.cert, tt.key, nil)
			if c != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("err: %v", err)
			}
			for _, name := range tt.names {
				if !strings.Contains(err.Error(), name) {
					t.Errorf("%q does not name %s", err, name)
				}
			}
			if low := strings.ToLower(err.Error()); strings.Contains(low, quoted) || strings.Contains(low, "ahvudgvymg") {
				t.Errorf("content is shown: %v", err)
			}
		})
	}
}

func TestCertificateInfo(t *testing.T) {
	f := mustFiles(t, "a.example")
	info := f.mustLoad(nil).Info()
	if left := time.Until(info.NotAfter); left < 89*day || left > 90*day || !info.NotBefore.Before(time.Now()) {
		t.Errorf("valid from %v to %v", info.NotBefore, info.NotAfter)
	}
	if want := []string{"a.example", "127.0.0.1"}; !slices.Equal(info.Names, want) {
		t.Errorf("names %q, want %q", info.Names, want)
	}
	if time.Since(info.Loaded) > time.Minute {
		t.Errorf("loaded at %v", info.Loaded)
	}
}

// name is the certificate in use.
func name(c *server.Certificate) string { return c.Info().Names[0] }

// A chain of other things around the two blocks that count.
func TestCertificateAmongOtherBlocks(t *testing.T) {
	f := mustFiles(t, "a.example")
	chain, _ := mustPair(t, "root", day)
	cert, _ := os.ReadFile(f.cert)
	key, _ := os.ReadFile(f.key)
	params := pem.EncodeToMemory(&pem.Block{Type: "EC PARAMETERS", Bytes: []byte("x")})
	f.mustWrite(slices.Concat([]byte("subject=a\n"), cert, chain), slices.Concat(params, key))
	if got := name(f.mustLoad(nil)); got != "a.example" {
		t.Errorf("loaded %s", got)
	}
}

// watched runs Watch in a bubble until the body returns.
func watched(t *testing.T, body func(t *testing.T, f *files, c *server.Certificate, log *lines)) {
	synctest.Test(t, func(t *testing.T) {
		var log lines
		f := mustFiles(t, "first")
		c := f.mustLoad(log.logger())
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- c.Watch(ctx) }()
		body(t, f, c, &log)
		stop()
		if err := <-done; err != nil {
			t.Errorf("Watch: %v", err)
		}
	})
}

func looks(n int) {
	time.Sleep(time.Duration(n)*2*time.Second + time.Millisecond)
	synctest.Wait()
}

func TestWatchReloads(t *testing.T) {
	watched(t, func(t *testing.T, f *files, c *server.Certificate, log *lines) {
		looks(3)
		if log.String() != "" {
			t.Errorf("nothing has changed: %s", log)
		}
		before := c.Info().Loaded
		f.mustWrite(mustPair(t, "second", 90*day))
		looks(1)
		if name(c) != "second" || log.Count("certificate reloaded") != 1 || !c.Info().Loaded.After(before) {
			t.Errorf("in use: %+v\n%s", c.Info(), log)
		}
	})
}

// Kubernetes mounts a link to a link to a directory and swaps the middle one.
func TestWatchFollowsSwappedLinks(t *testing.T) {
	watched(t, func(t *testing.T, f *files, _ *server.Certificate, log *lines) {
		version := func(name string) string {
			dir := filepath.Join(f.dir, ".."+name)
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			cert, key := mustPair(t, name, 90*day)
			mustWrite(t, filepath.Join(dir, "tls.crt"), cert)
			mustWrite(t, filepath.Join(dir, "tls.key"), key)
			return dir
		}
		data := filepath.Join(f.dir, "..data")
		swap := func(to string) {
			if err := os.Symlink(to, data+"_tmp"); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(data+"_tmp", data); err != nil {
				t.Fatal(err)
			}
		}
		swap(version("one"))
		for _, file := range []string{f.cert, f.key} {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(filepath.Join("..data", filepath.Base(file)), file); err != nil {
				t.Fatal(err)
			}
		}
		c := f.mustLoad(log.logger())
		go func() { _ = c.Watch(t.Context()) }()
		looks(1)
		swap(version("two"))
		looks(1)
		if name(c) != "two" || strings.Contains(log.String(), "ERROR") {
			t.Errorf("in use: %s\n%s", name(c), log)
		}
	})
}

func TestWatchKeepsTheOldOneOverABrokenPair(t *testing.T) {
	watched(t, func(t *testing.T, f *files, c *server.Certificate, log *lines) {
		cert, key := mustPair(t, "second", 90*day)
		mustWrite(t, f.cert, cert) // and the key a moment later
		looks(1)
		if name(c) != "first" || log.String() != "" {
			t.Errorf("half a pair: %s\n%s", name(c), log)
		}
		looks(10)
		if name(c) != "first" || log.Count("certificate not reloaded") != 1 || !strings.Contains(log.String(), f.key) {
			t.Errorf("half a pair for long: %s\n%s", name(c), log)
		}
		mustWrite(t, f.key, []byte("-----BEGIN PRIVATE KEY-----\naHVudGVyMg==\n-----END PRIVATE KEY-----\n"))
		looks(10)
		if log.Count("certificate not reloaded") != 2 || !strings.Contains(log.String(), "cannot be read") {
			t.Errorf("another fault: %s", log)
		}
		if err := os.Remove(f.key); err != nil {
			t.Fatal(err)
		}
		looks(10)
		if name(c) != "first" || log.Count("certificate not reloaded") != 3 || !strings.Contains(log.String(), "no such file") {
			t.Errorf("no key at all: %s\n%s", name(c), log)
		}
		mustWrite(t, f.key, key)
		looks(1)
		if name(c) != "second" || log.Count("certificate reloaded") != 1 {
			t.Errorf("mended: %s\n%s", name(c), log)
		}
		if strings.Contains(log.String(), "hunter2") || strings.Contains(log.String(), "aHVudGVyMg") {
			t.Errorf("content is shown:\n%s", log)
		}
		mustWrite(t, f.cert, []byte("x"))
		looks(2)
		mustWrite(t, f.cert, cert) // back to what is in use
		looks(2)
		mustWrite(t, f.cert, []byte("x"))
		looks(2)
		if log.Count("certificate not reloaded") != 5 || log.Count("certificate reloaded") != 1 {
			t.Errorf("twice the same fault, with good times between:\n%s", log)
		}
	})
}

func TestExpiryIsSpokenOfOnceADay(t *testing.T) {
	var log lines
	f := mustFiles(t, "first")
	c := f.mustLoad(log.logger())
	end := c.Info().NotAfter
	for _, step := range []struct {
		left       time.Duration
		soon, over int // lines in all
	}{
		{90 * day, 0, 0},
		{14*day + time.Minute, 0, 0},
		{14*day - time.Minute, 1, 0},
		{13*day + time.Hour, 1, 0},
		{13*day - time.Minute, 2, 0},
		{13*day - time.Hour, 2, 0},
		{day, 3, 0},
		{-time.Second, 3, 1},
		{-time.Hour, 3, 1},
		{-2 * day, 3, 2},
	} {
		c.Remind(end.Add(-step.left))
		if soon, over := log.Count("certificate expires soon"), log.Count("certificate has expired"); soon != step.soon || over != step.over {
			t.Errorf("%v left: said %d times that it expires, %d that it has; want %d, %d", step.left, soon, over, step.soon, step.over)
		}
	}
	if strings.Count(log.String(), f.cert) != 5 || log.Count("level=ERROR") != 2 || log.Count("level=WARN") != 3 {
		t.Errorf("log: %s", &log)
	}
}

func TestWatchSpeaksOfExpiry(t *testing.T) {
	watched(t, func(t *testing.T, f *files, c *server.Certificate, log *lines) {
		for i, life := range []time.Duration{10 * day, 90 * day, 5 * day} {
			f.mustWrite(mustPair(t, "next", life))
			looks(2)
			if log.Count("certificate reloaded") != i+1 {
				t.Fatalf("not reloaded: %s", log)
			}
		}
		if n := log.Count("certificate expires soon"); n != 2 {
			t.Errorf("two short-lived ones of three were spoken of %d times: %s", n, log)
		}
	})
}
