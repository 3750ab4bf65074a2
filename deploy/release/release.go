package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// release is one run of the command.
type release struct {
	version   string
	date      time.Time // of every file
	source    string    // root of the module
	out       string
	platforms []string // os/arch
	plain     bool     // without the profile: another compilation of every package
}

// name is the beginning of each file's name.
func (r *release) name(platform string) string {
	return "tollgate_" + strings.TrimPrefix(r.version, "v") + "_" + strings.ReplaceAll(platform, "/", "_")
}

var (
	platformWord = regexp.MustCompile(`^[a-z0-9]+/[a-z0-9]+$`)
	versionWord  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]*$`)
)

func (r *release) run() error {
	if !versionWord.MatchString(r.version) {
		return fmt.Errorf("%q is no version: it becomes part of names", r.version)
	}
	for _, p := range r.platforms {
		if !platformWord.MatchString(p) {
			return fmt.Errorf("%q is no platform such as linux/amd64", p)
		}
	}
	work, err := os.MkdirTemp("", "tollgate-release-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	if err := os.RemoveAll(r.out); err != nil {
		return err
	}
	if err := os.MkdirAll(r.out, 0o755); err != nil { //nolint:gosec // what is published is for all
		return err
	}
	extras, err := r.extras(work)
	if err != nil {
		return err
	}
	for _, platform := range r.platforms {
		if err := r.pack(platform, work, extras); err != nil {
			return fmt.Errorf("%s: %w", platform, err)
		}
	}
	return r.checksums()
}

// pack builds for one platform and writes its archive and its list of contents.
func (r *release) pack(platform, work string, extras []file) error {
	binary := filepath.Join(work, strings.ReplaceAll(platform, "/", "_"))
	system, arch, _ := strings.Cut(platform, "/")
	if err := r.build(binary, "GOOS="+system, "GOARCH="+arch); err != nil {
		return err
	}
	program, err := os.ReadFile(binary)
	if err != nil {
		return err
	}
	name := r.name(platform)
	bom, err := r.bom(binary, program)
	if err != nil {
		return err
	}
	files := append(slices.Clone(extras), file{"tollgate", 0o755, program}, file{"sbom.cdx.json", 0o644, bom})
	archive, err := r.archive(name, files)
	if err != nil {
		return err
	}
	if err := r.write(name+".tar.gz", archive); err != nil {
		return err
	}
	return r.write(name+".cdx.json", bom)
}

// build compiles the program as the image does.
func (r *release) build(to string, env ...string) error {
	_, err := r.compile(env, "-o", to)
	return err
}

// compile runs go build with these arguments besides its own, and returns what that
// printed. VCS state stays out: whether a checkout is clean must not decide what is
// built.
func (r *release) compile(env []string, more ...string) (string, error) {
	cmd := exec.Command("go", append([]string{"build", "-trimpath", "-buildvcs=false", "-pgo=" + r.profile(), //nolint:gosec // the version was looked at
		"-ldflags", "-s -w -buildid= -X main.version=" + r.version}, append(more, "./cmd/tollgate")...)...)
	cmd.Dir = r.source
	cmd.Env = append(append(cmd.Environ(), "CGO_ENABLED=0", "GOFLAGS="), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return string(out), nil
}

// profile is what the compiler is told of the program under load (`make pgo`), where
// the tree has it.
func (r *release) profile() string {
	const name = "cmd/tollgate/default.pgo"
	if _, err := os.Stat(filepath.Join(r.source, name)); err != nil || r.plain {
		return "off"
	}
	return name
}

// texts are files of the tree, and their places in an archive.
var texts = [...]struct{ source, place string }{
	{"README.md", "README.md"}, {"LICENSE", "LICENSE"},
	{"deploy/systemd/tollgate.service", "systemd/tollgate.service"}, {"deploy/systemd/tollgate.sysusers", "systemd/tollgate.sysusers"},
	{"deploy/systemd/tollgate.env.example", "systemd/tollgate.env.example"}, {"deploy/systemd/README.md", "systemd/README.md"},
	{"deploy/redis/redis.conf", "redis/redis.conf"}, {"deploy/redis/sentinel.conf", "redis/sentinel.conf"},
	{"deploy/redis/users.acl", "redis/users.acl"}, {"deploy/redis/README.md", "redis/README.md"},
	{"deploy/compose/routes.yaml", "examples/routes.yaml"}, {"deploy/compose/edge/issuers.yaml", "examples/issuers.yaml"},
	{"deploy/prometheus/rules/alerts.yml", "prometheus/alerts.yml"}, {"deploy/prometheus/rules/recording.yml", "prometheus/recording.yml"},
}

// extras are what the archives have in common: texts of the tree, and what the
// program prints of itself.
func (r *release) extras(work string) ([]file, error) {
	var files []file
	for _, t := range texts {
		text, err := os.ReadFile(filepath.Join(r.source, t.source))
		if err != nil {
			return nil, err
		}
		files = append(files, file{t.place, 0o644, text})
	}
	here := filepath.Join(work, "here")
	if err := r.build(here); err != nil {
		return nil, err
	}
	for shell, place := range map[string]string{"bash": "completions/tollgate.bash", "zsh": "completions/_tollgate", "fish": "completions/tollgate.fish"} {
		text, err := exec.Command(here, "completion", shell).Output() //nolint:gosec // built above
		if err != nil {
			return nil, fmt.Errorf("completion %s: %w", shell, err)
		}
		files = append(files, file{place, 0o644, text})
	}
	pages := filepath.Join(work, "man")
	command := exec.Command(here, "man", pages, "--date", r.date.Format(time.DateOnly)) //nolint:gosec // built above
	if out, err := command.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("man: %w\n%s", err, out)
	}
	found, err := os.ReadDir(pages)
	if err != nil {
		return nil, err
	}
	for _, page := range found {
		text, err := os.ReadFile(filepath.Join(pages, page.Name()))
		if err != nil {
			return nil, err
		}
		files = append(files, file{"man/man1/" + page.Name(), 0o644, text})
	}
	return files, nil
}

// checksums writes SHA256SUMS, in the form that sha256sum -c reads.
func (r *release) checksums() error {
	entries, err := os.ReadDir(r.out)
	if err != nil {
		return err
	}
	var lines strings.Builder
	for _, e := range entries { // sorted
		text, err := os.ReadFile(filepath.Join(r.out, e.Name()))
		if err != nil {
			return err
		}
		sum := sha256.Sum256(text)
		fmt.Fprintf(&lines, "%s  %s\n", hex.EncodeToString(sum[:]), e.Name())
	}
	return r.write("SHA256SUMS", []byte(lines.String()))
}

// write makes one of the published files.
func (r *release) write(name string, text []byte) error {
	return os.WriteFile(filepath.Join(r.out, name), text, 0o644) //nolint:gosec // what is published is for all
}
