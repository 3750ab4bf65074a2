package deploy_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"tollgate/internal/testkit"
)

const (
	dockerfile = "docker/Dockerfile"
	// profile is left out by who tests the image's line: that builds in a
	// minute less. deploy/release looks at what the profile does.
	profile = "-pgo=cmd/tollgate/default.pgo"
)

// instruction is one of a Dockerfile, continuation lines joined.
type instruction struct{ word, rest string }

// instructions parses the part of the format that ours uses.
func instructions(text string) []instruction {
	var all []instruction
	text = strings.ReplaceAll(text, "\\\n", " ")
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		all = append(all, instruction{word, strings.Join(strings.Fields(rest), " ")})
	}
	return all
}

// buildLine is the Dockerfile's line of `go build`.
func buildLine() (string, error) {
	text, err := os.ReadFile(dockerfile)
	if err != nil {
		return "", err
	}
	for _, i := range instructions(string(text)) {
		if i.word == "RUN" && strings.Contains(i.rest, "go build") {
			return i.rest, nil
		}
	}
	return "", errors.New("the Dockerfile has no line of go build")
}

func TestDockerfile(t *testing.T) {
	all := instructions(mustRead(t, dockerfile))
	last := slices.IndexFunc(all, func(i instruction) bool { return i.word == "FROM" && i.rest == "scratch" })
	if last < 0 {
		t.Fatal("the last stage is not made from scratch")
	}
	has := func(part []instruction, word, rest string) bool {
		return slices.ContainsFunc(part, func(i instruction) bool { return i.word == word && strings.Contains(i.rest, rest) })
	}
	for _, want := range []instruction{
		{"USER", "65532:65532"}, {"COPY", "/etc/ssl/certs/ca-certificates.crt"}, {"COPY", "/out/tollgate /tollgate"},
		{"HEALTHCHECK", `CMD ["/tollgate", "healthcheck"]`}, {"ENTRYPOINT", `["/tollgate"]`}, {"CMD", `["serve"]`},
		{"EXPOSE", "8080 8081 9000"}, {"STOPSIGNAL", "SIGTERM"}, {"LABEL", "image.version"},
	} {
		if !has(all[last:], want.word, want.rest) {
			t.Errorf("the image has no %s %s", want.word, want.rest)
		}
	}
	if has(all[last:], "RUN", "") || has(all[last:], "FROM", "AS") {
		t.Error("an empty image has nothing to run")
	}
	line, err := buildLine()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"CGO_ENABLED=0", "-trimpath", "-X main.version=${VERSION}", "./cmd/tollgate", profile} {
		if !strings.Contains(line, want) {
			t.Errorf("go build without %s: %s", want, line)
		}
	}
	version, base := "", ""
	for _, i := range all {
		if v, ok := strings.CutPrefix(i.rest, "GO_VERSION="); ok && i.word == "ARG" {
			version = v
		}
		if i.word == "FROM" && base == "" {
			base = i.rest
		}
	}
	if strings.Count(version, ".") != 2 || !strings.Contains(base, "golang:${GO_VERSION}-") {
		t.Errorf("the compiler is not pinned: GO_VERSION=%s, FROM %s", version, base)
	}
	if line := "\ngo " + version[:strings.LastIndex(version, ".")]; !strings.Contains(mustRead(t, "..", "go.mod"), line) {
		t.Errorf("go.mod has no line%q, which the image's compiler is", line)
	}
}

// TestDockerContext: .dockerignore lets every file of the program through, and
// neither tests nor what is beside the sources.
func TestDockerContext(t *testing.T) {
	keeps := ignoring(mustRead(t, "..", ".dockerignore"))
	cmd := exec.Command("go", "list", "-deps", "-json=Dir,GoFiles,EmbedFiles,Module", "./cmd/tollgate")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	files := []string{"go.mod", "go.sum", strings.TrimPrefix(profile, "-pgo=")}
	for decoder := json.NewDecoder(strings.NewReader(string(out))); decoder.More(); {
		var p struct {
			Dir                 string
			GoFiles, EmbedFiles []string
			Module              *struct{ Path string }
		}
		if err := decoder.Decode(&p); err != nil {
			t.Fatal(err)
		}
		if p.Module == nil || p.Module.Path != "tollgate" {
			continue
		}
		for _, f := range append(p.GoFiles, p.EmbedFiles...) {
			name, err := filepath.Rel(root, filepath.Join(p.Dir, f))
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, filepath.ToSlash(name))
		}
	}
	if len(files) < 100 {
		t.Fatalf("%d files: that is not the program", len(files))
	}
	for _, f := range files {
		if !keeps(f) {
			t.Errorf("%s is not in the build's context", f)
		}
	}
	for _, f := range []string{".git/config", ".env", "cmd/.env", "keys/keyfile/testdata/pkcs8.pem", "gateway/route_test.go", "bin/tollgate", "data/ring.pem", "deploy/kit_test.go"} {
		if keeps(f) {
			t.Errorf("%s is in the build's context", f)
		}
	}
}

// ignoring reads the part of .dockerignore's language that ours uses: the last
// line that fits decides.
func ignoring(text string) func(name string) bool {
	return func(name string) bool {
		keep := true
		for line := range strings.Lines(text) {
			line = strings.TrimSpace(line)
			if line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			pattern, back := strings.CutPrefix(line, "!")
			if fits(pattern, name) {
				keep = back
			}
		}
		return keep
	}
}

// fits reports whether a pattern takes a file, or a folder above it.
func fits(pattern, name string) bool {
	deep, anywhere := strings.CutPrefix(pattern, "**/")
	for part := name; part != "."; part = path.Dir(part) {
		whole := part
		if anywhere {
			whole = path.Base(part)
		}
		if ok, _ := path.Match(deep, whole); ok {
			return true
		}
	}
	return false
}

// TestImage runs the program where there is nothing but what the image holds, as
// its user. There is less than a container has: no /proc and no /dev.
func TestImage(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("chroot is root's")
	}
	r := testkit.MustStartRedis(t)
	root := mustImageRoot(t)
	backend := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(backend.Close)
	address := func() string { return testkit.MustFreeAddr(t) }
	ops := address()
	env := []string{
		"TOLLGATE_LISTEN=" + address(), "TOLLGATE_ADMIN_LISTEN=" + address(), "TOLLGATE_OPS_LISTEN=" + ops,
		"TOLLGATE_REDIS_URL=" + r.URL, "TOLLGATE_REDIS_OP_TIMEOUT=5s", "TOLLGATE_UPSTREAM=" + backend.URL, "TOLLGATE_ISSUER=https://auth.example.com",
		"TOLLGATE_ADMIN_TOKEN=only-for-this-one-test", "TOLLGATE_KEY_STORE=file:/var/lib/tollgate/keys", "TOLLGATE_REVOCATION_JOURNAL=/var/lib/tollgate/journal",
	}
	inside := func(args ...string) *exec.Cmd {
		cmd := exec.Command("/tollgate", args...)
		cmd.Dir, cmd.Env = "/", env
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Chroot: root, Pdeathsig: syscall.SIGKILL,
			Credential: &syscall.Credential{Uid: 65532, Gid: 65532},
		}
		return cmd
	}
	if out, err := inside("version").CombinedOutput(); err != nil || !strings.Contains(string(out), "v0.0.0-test") {
		t.Fatalf("version: %v %s", err, out)
	}
	var log strings.Builder
	serve := inside("serve")
	serve.Stderr = &log
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- serve.Wait() }()
	healthy := func() bool { return inside("healthcheck").Run() == nil }
	for end := time.Now().Add(30 * time.Second); !healthy(); time.Sleep(50 * time.Millisecond) {
		select {
		case err := <-ended:
			t.Fatalf("serve ended: %v\n%s", err, log.String())
		default:
		}
		if time.Now().After(end) {
			_ = serve.Process.Kill()
			t.Fatalf("not healthy within 30 s (%v)\n%s", <-ended, log.String())
		}
	}
	_ = serve.Process.Signal(syscall.SIGTERM) // STOPSIGNAL
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("SIGTERM: %v\n%s", err, log.String())
		}
	case <-time.After(30 * time.Second):
		_ = serve.Process.Kill()
		t.Error("serve did not end within 30 s of SIGTERM")
	}
	if healthy() {
		t.Error("healthcheck says that a server is well that is not there")
	}
}

// mustImageRoot makes a folder with what the image holds.
func mustImageRoot(t *testing.T) string {
	t.Helper()
	// Not t.TempDir, which nobody but root may enter.
	root, err := os.MkdirTemp("", "tollgate-image-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	data := filepath.Join(root, "var/lib/tollgate")
	err = errors.Join(
		os.Chmod(root, 0o755),
		os.MkdirAll(data, 0o755), os.Chown(data, 65532, 65532), os.Chmod(data, 0o700),
		os.WriteFile(filepath.Join(root, "tollgate"), []byte(mustRead(t, built)), 0o755),
	)
	if err != nil {
		t.Fatal(err)
	}
	return root
}
