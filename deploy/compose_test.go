package deploy_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// stack is what Compose makes of files in order, in the part of its language that
// ours use: include, extends, and merging by member.
type stack struct{ services, volumes, secrets tree }

func mustStack(t *testing.T, names ...string) *stack {
	t.Helper()
	s := &stack{tree{}, tree{}, tree{}}
	for _, name := range names {
		doc := mustDocuments(t, mustRead(t, "compose", name))[0]
		for _, other := range list(doc, "include") {
			included := mustDocuments(t, mustRead(t, "compose", other.(string)))[0]
			maps.Copy(s.secrets, included["secrets"].(tree))
		}
		if v, ok := doc["volumes"].(tree); ok {
			maps.Copy(s.volumes, v)
		}
		for service, body := range doc["services"].(tree) {
			body := body.(tree)
			if from, ok := body["extends"].(tree); ok {
				base := mustDocuments(t, mustRead(t, "compose", from["file"].(string)))[0]
				parent, ok := at(base, "services", from["service"].(string)).(tree)
				if !ok {
					t.Fatalf("%s: %s extends nothing: %v", name, service, from)
				}
				body = merged(parent, body)
			}
			if before, ok := s.services[service].(tree); ok {
				body = merged(before, body)
			}
			s.services[service] = body
		}
	}
	return s
}

// merged is a service with another over it.
func merged(under, over tree) tree {
	out := maps.Clone(under)
	for k, v := range over {
		switch was := out[k].(type) {
		case tree:
			m := maps.Clone(was)
			maps.Copy(m, v.(tree))
			out[k] = m
		case []any:
			if k != "command" {
				v = append(slices.Clone(was), v.([]any)...)
			}
			out[k] = v
		default:
			out[k] = v
		}
	}
	return out
}

func stacks(t *testing.T) map[string]*stack {
	return map[string]*stack{
		"quickstart": mustStack(t, "quickstart.yaml"), "nginx": mustStack(t, "quickstart.yaml", "nginx.yaml"), "traefik": mustStack(t, "quickstart.yaml", "traefik.yaml"),
		"observe": mustStack(t, "quickstart.yaml", "observe.yaml"), "sentinel": mustStack(t, "sentinel.yaml"),
	}
}

// TestCompose: what a file names is there.
func TestCompose(t *testing.T) {
	for name, s := range stacks(t) {
		t.Run(name, func(t *testing.T) {
			for service, body := range s.services {
				s.wantSound(t, service, body.(tree))
			}
			for volume := range s.volumes {
				used := false
				for _, body := range s.services {
					for _, m := range list(body, "volumes") {
						used = used || strings.HasPrefix(m.(string), volume+":")
					}
				}
				if !used {
					t.Errorf("nobody mounts the volume %s", volume)
				}
			}
		})
	}
}

func (s *stack) wantSound(t *testing.T, service string, body tree) {
	t.Helper()
	image, _ := body["image"].(string)
	if _, tag, found := strings.Cut(image, ":"); !found || tag == "latest" {
		t.Errorf("%s: the image %q has no version", service, image)
	}
	for _, secret := range list(body, "secrets") {
		if s.secrets[secret.(string)] == nil {
			t.Errorf("%s: nobody declares the secret %s", service, secret)
		}
	}
	needs := list(body, "depends_on")
	if m, ok := body["depends_on"].(tree); ok {
		for other := range m {
			needs = append(needs, other)
		}
	}
	if other, ok := strings.CutPrefix(fmt.Sprint(body["network_mode"]), "service:"); ok {
		needs = append(needs, other)
		if body["ports"] != nil {
			t.Errorf("%s publishes ports, which belong to %s", service, other)
		}
	}
	for _, other := range needs {
		if s.services[other.(string)] == nil {
			t.Errorf("%s needs %s, which is not there", service, other)
		}
	}
	for _, port := range list(body, "ports") {
		if !strings.HasPrefix(port.(string), "127.0.0.1:") {
			t.Errorf("%s: %s is open to everybody", service, port)
		}
	}
	for _, m := range list(body, "volumes") {
		from, _, _ := strings.Cut(m.(string), ":")
		if strings.HasPrefix(from, ".") {
			if _, err := os.Stat(filepath.Join("compose", from)); err != nil {
				t.Errorf("%s mounts %s: %v", service, from, err)
			}
		} else if _, ok := s.volumes[from]; !ok && !slices.ContainsFunc(list(body, "volumes"), func(o any) bool { return covers(o.(string), m.(string)) }) {
			t.Errorf("%s: nobody declares the volume %s", service, from)
		}
	}
	known := mustVariables(t)
	environment, _ := body["environment"].(tree)
	for variable := range environment {
		if strings.HasPrefix(variable, "TOLLGATE_") && !known[variable] {
			t.Errorf("%s: %s is no variable of tollgate", service, variable)
		}
	}
}

// covers reports whether another mount has the same place, and so replaces one.
func covers(other, one string) bool {
	place := func(m string) string { return strings.Split(m, ":")[1] }
	return other != one && place(other) == place(one)
}

// TestComposeSettings runs `tollgate validate` with what each tollgate is given.
func TestComposeSettings(t *testing.T) {
	for name, s := range stacks(t) {
		for service, body := range s.services {
			if at(body, "image") != "tollgate:dev" {
				continue
			}
			root := t.TempDir()
			for _, secret := range list(body, "secrets") {
				mustPlace(t, filepath.Join(root, "run/secrets", secret.(string)), "c2VhbGluZy1rZXktb2YtdGhlLXRlc3RzLTMyYnl0ZXM=\n")
			}
			for _, m := range list(body, "volumes") {
				parts := strings.Split(m.(string), ":")
				from := filepath.Join("compose", parts[0])
				if info, err := os.Stat(from); err == nil && info.IsDir() {
					if err := os.CopyFS(filepath.Join(root, parts[1]), os.DirFS(from)); err != nil {
						t.Fatal(err)
					}
				} else {
					mustPlace(t, filepath.Join(root, parts[1]), mustRead(t, from))
				}
			}
			cmd := exec.Command(built, "validate")
			for variable, value := range at(body, "environment").(tree) {
				text := fmt.Sprint(value)
				if strings.HasPrefix(text, "/") {
					text = filepath.Join(root, text)
				}
				cmd.Env = append(cmd.Env, variable+"="+text)
			}
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %s: %v\n%s", name, service, err, out)
			}
		}
	}
}

func mustPlace(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestComposeScripts runs the two scripts that stand in the files, in a folder that
// is laid out as their containers are.
func TestComposeScripts(t *testing.T) {
	s := stacks(t)["sentinel"]
	root := t.TempDir()
	for _, name := range []string{"issuer", "edge", "doctor", "replica", "sentinel", "operator"} {
		mustPlace(t, filepath.Join(root, "run/secrets/redis-"+name), passwordOf(name)+"\n")
	}
	mustPlace(t, filepath.Join(root, "in/users.acl"), mustRead(t, "redis/users.acl"))
	mustPlace(t, filepath.Join(root, "in/sentinel.conf"), mustRead(t, "redis/sentinel.conf"))
	script := func(service string) string {
		command := list(s.services[service], "command")
		text := strings.ReplaceAll(command[len(command)-1].(string), "$$", "$")
		for old, with := range map[string]string{"chown redis": "test -f", "exec redis-server": "test -f"} {
			text = strings.ReplaceAll(text, old, with)
		}
		text = strings.ReplaceAll(text, " --sentinel\n", "\n")
		for _, folder := range []string{"/in/", "/acl/", "/run/", "/data/"} {
			text = strings.ReplaceAll(text, folder, root+folder)
		}
		return text
	}
	for _, folder := range []string{"acl", "data"} {
		if err := os.Mkdir(filepath.Join(root, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, service := range []string{"acl", "sentinel-0"} {
		cmd := exec.Command("sh", "-euc", script(service))
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOSTNAME=sentinel-0"}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", service, err, out)
		}
	}
	if acl := mustRead(t, root, "acl/users.acl"); strings.Contains(acl, "__") || strings.Count(acl, " on #") != 6 {
		t.Errorf("the access list:\n%s", acl)
	}
	conf := mustRead(t, root, "data/sentinel.conf")
	for _, want := range []string{"sentinel monitor tollgate redis-0 6379 2", "protected-mode no", "dir /data", "auth-pass tollgate " + passwordOf("sentinel"), "announce-ip sentinel-0", "bind * -::*"} {
		if !strings.Contains(conf, "\n"+want) && !strings.Contains(conf, want+"\n") {
			t.Errorf("sentinel.conf has no %q:\n%s", want, conf)
		}
	}
}
