package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

var platform = runtime.GOOS + "/" + runtime.GOARCH

// mustRelease makes a release for this platform from the sources at a place.
func mustRelease(t *testing.T, source string) string {
	t.Helper()
	r := release{version: "v1.2.3", date: time.Unix(1767225600, 0).UTC(), source: source, out: filepath.Join(t.TempDir(), "dist"), platforms: []string{platform},
		plain: true} // with the profile it takes a minute more; TestProfile looks at that
	if err := r.run(); err != nil {
		t.Fatal(err)
	}
	return r.out
}

// TestReproducible: the same sources at another place, and without their history,
// give the same bytes.
func TestReproducible(t *testing.T) {
	root := filepath.Join("..", "..")
	elsewhere := t.TempDir()
	for _, name := range []string{"cmd", "gateway", "internal", "issuer", "keys", "revocation", "deploy/systemd", "deploy/redis", "deploy/compose", "deploy/prometheus", "go.mod", "go.sum", "README.md", "LICENSE"} {
		copyTo(t, filepath.Join(root, name), filepath.Join(elsewhere, name))
	}
	one, other := mustRelease(t, root), mustRelease(t, elsewhere)
	names, err := os.ReadDir(one)
	if err != nil || len(names) != 3 {
		t.Fatalf("files %v, %v", names, err)
	}
	for _, n := range names {
		a, b := mustRead(t, one, n.Name()), mustRead(t, other, n.Name())
		if !bytes.Equal(a, b) {
			t.Errorf("%s differs", n.Name())
		}
	}
	t.Run("checksums", func(t *testing.T) { wantChecksums(t, one) })
	t.Run("archive", func(t *testing.T) { wantArchive(t, one) })
	t.Run("sbom", func(t *testing.T) { wantBOM(t, one) })
}

func copyTo(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		place := filepath.Join(to, strings.TrimPrefix(name, from))
		text, err := os.ReadFile(name)
		return errors.Join(err, os.MkdirAll(filepath.Dir(place), 0o700), os.WriteFile(place, text, 0o600))
	})
	if err != nil {
		t.Fatal(err)
	}
}

func mustRead(t *testing.T, elem ...string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func wantChecksums(t *testing.T, dist string) {
	lines := strings.Split(strings.TrimSpace(string(mustRead(t, dist, "SHA256SUMS"))), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines", len(lines))
	}
	for _, line := range lines {
		want, name, _ := strings.Cut(line, "  ")
		sum := sha256.Sum256(mustRead(t, dist, name))
		if hex.EncodeToString(sum[:]) != want {
			t.Errorf("%s is not %s", name, want)
		}
	}
}

func wantArchive(t *testing.T, dist string) {
	folder := "tollgate_1.2.3_" + strings.ReplaceAll(platform, "/", "_")
	zip, err := gzip.NewReader(bytes.NewReader(mustRead(t, dist, folder+".tar.gz")))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]byte{}
	for all := tar.NewReader(zip); ; {
		head, err := all.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if !head.ModTime.Equal(time.Unix(1767225600, 0)) || head.Uid != 0 || head.Gid != 0 {
			t.Errorf("%s: %s of %d:%d", head.Name, head.ModTime, head.Uid, head.Gid)
		}
		text, err := io.ReadAll(all)
		if err != nil {
			t.Fatal(err)
		}
		found[strings.TrimPrefix(head.Name, folder+"/")] = text
	}
	for name, part := range map[string]string{
		"README.md": "# tollgate", "LICENSE": "Apache License", "man/man1/tollgate.1": `.TH TOLLGATE 1 "2026-01-01"`, "man/man1/tollgate-revoke-token.1": "tollgate revoke token",
		"completions/tollgate.bash": "tollgate", "completions/_tollgate": "#compdef tollgate", "completions/tollgate.fish": "tollgate",
		"systemd/tollgate.service": "ExecStart=/usr/bin/tollgate serve", "sbom.cdx.json": "CycloneDX",
		"systemd/tollgate.env.example": "TOLLGATE_", "systemd/tollgate.sysusers": "tollgate", "redis/users.acl": "user tollgate-edge", "redis/redis.conf": "noeviction",
		"redis/sentinel.conf": "sentinel monitor", "examples/routes.yaml": "routes:", "examples/issuers.yaml": "jwks_url", "prometheus/alerts.yml": "Tollgate",
	} {
		if !bytes.Contains(found[name], []byte(part)) {
			t.Errorf("%s is not there or has no %q", name, part)
		}
	}
	program := filepath.Join(t.TempDir(), "tollgate")
	if err := os.WriteFile(program, found["tollgate"], 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(program, "version").Output(); err != nil || !strings.HasPrefix(string(out), "tollgate v1.2.3 (") {
		t.Errorf("version: %s %v", out, err)
	}
}

func wantBOM(t *testing.T, dist string) {
	var b bom
	decoder := json.NewDecoder(bytes.NewReader(mustRead(t, dist, "tollgate_1.2.3_"+strings.ReplaceAll(platform, "/", "_")+".cdx.json")))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&b); err != nil {
		t.Fatal(err)
	}
	if b.Format != "CycloneDX" || b.Spec != "1.6" || !regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(b.Serial) {
		t.Errorf("%s %s %s", b.Format, b.Spec, b.Serial)
	}
	if b.Metadata.Component.PURL != "pkg:golang/tollgate@v1.2.3" || b.Metadata.Timestamp != "2026-01-01T00:00:00Z" {
		t.Errorf("%+v", b.Metadata)
	}
	var refs []string
	for _, c := range b.Components {
		if c.Version == "" || c.PURL == "" || slices.Contains(refs, c.Ref) {
			t.Errorf("%+v", c)
		}
		refs = append(refs, c.Ref)
	}
	// What the program is built of, and what only its tests need.
	for name, want := range map[string]bool{"pkg:golang/github.com/redis/go-redis/v9@": true, "pkg:golang/stdlib@": true, "pkg:golang/go.uber.org/goleak@": false, "pkg:golang/github.com/google/go-cmp@": false} {
		if slices.ContainsFunc(refs, func(r string) bool { return strings.HasPrefix(r, name) }) != want {
			t.Errorf("%s: listed is not %v", name, want)
		}
	}
	if !slices.Equal(b.Dependencies[0].DependsOn, refs) {
		t.Error("the program does not depend on what it is made of")
	}
}

func TestRefusesNames(t *testing.T) {
	for _, r := range []release{
		{version: "v1 -X main.x=y", platforms: []string{platform}}, {version: "../v1", platforms: []string{platform}}, {version: "", platforms: []string{platform}},
		{version: "v1", platforms: []string{"linux"}}, {version: "v1", platforms: []string{"linux/../x"}},
	} {
		r.out, r.source = filepath.Join(t.TempDir(), "dist"), "../.."
		if err := r.run(); err == nil {
			t.Errorf("%q %q passes", r.version, r.platforms)
		}
		if _, err := os.Stat(r.out); err == nil {
			t.Errorf("%q %q: something was written", r.version, r.platforms)
		}
	}
}
