// Package kubetest_test renders the chart and the kustomizations and holds what
// comes out to Kubernetes' own types and to the program. It is a module of its own:
// what Helm requires never decides a version of the program.
package kubetest_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

// program is the built tollgate, and variables are all that it knows.
var (
	program   string
	variables = map[string]bool{}
)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "tollgate-kubetest-")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "tollgate")
	build := exec.Command("go", "build", "-o", program, "./cmd/tollgate")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		panic(string(out))
	}
	out, err := exec.Command(program, "config", "env", "-o", "json").Output()
	if err != nil {
		panic(err)
	}
	var items []struct {
		Name   string
		Secret bool
	}
	if err := json.Unmarshal(out, &items); err != nil {
		panic(err)
	}
	for _, i := range items {
		variables[i.Name] = true
		if i.Secret {
			variables[i.Name+"_FILE"] = true
		}
	}
	m.Run()
	_ = os.RemoveAll(dir)
}

// cluster is what was rendered, by kind and name.
type cluster map[string]runtime.Object

// mustDecode decodes strictly: a field that Kubernetes does not know is a fault.
// Kinds of others (ServiceMonitor, HTTPRoute) are kept as they are.
func mustDecode(t *testing.T, text string) cluster {
	t.Helper()
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	out := cluster{}
	documents := utilyaml.NewYAMLReader(newReader(text))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		var head struct {
			Kind     string
			Metadata struct{ Name string }
		}
		if err := yaml.Unmarshal(document, &head); err != nil {
			t.Fatalf("%v\n%s", err, document)
		}
		if head.Kind == "" {
			continue // comments alone
		}
		object, _, err := decoder.Decode(document, nil, nil)
		if runtime.IsNotRegisteredError(err) {
			u := &unstructured.Unstructured{}
			err = yaml.Unmarshal(document, &u.Object)
			object = u
		}
		if err != nil {
			t.Fatalf("%s %s: %v\n%s", head.Kind, head.Metadata.Name, err, document)
		}
		key := head.Kind + "/" + head.Metadata.Name
		if out[key] != nil {
			t.Errorf("%s is there twice", key)
		}
		out[key] = object
	}
}

// one returns an object that has to be there.
func one[T runtime.Object](t *testing.T, c cluster, key string) T {
	t.Helper()
	object, ok := c[key].(T)
	if !ok {
		var names []string
		for name := range c {
			names = append(names, name)
		}
		t.Fatalf("no %s among %s", key, names)
	}
	return object
}

// deployments returns all of them by name.
func (c cluster) deployments() map[string]*appsv1.Deployment {
	out := map[string]*appsv1.Deployment{}
	for _, o := range c {
		if d, ok := o.(*appsv1.Deployment); ok {
			out[d.Name] = d
		}
	}
	return out
}

// container is tollgate's of a deployment.
func container(t *testing.T, d *appsv1.Deployment) corev1.Container {
	t.Helper()
	for _, c := range d.Spec.Template.Spec.Containers {
		if c.Name == "tollgate" {
			return c
		}
	}
	t.Fatalf("%s has no container tollgate", d.Name)
	return corev1.Container{}
}

// env is a container's variables that have a value of their own, or that of a
// ConfigMap that was rendered with it.
func (c cluster) env(t *testing.T, d *appsv1.Deployment) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, from := range container(t, d).EnvFrom {
		for k, v := range one[*corev1.ConfigMap](t, c, "ConfigMap/"+from.ConfigMapRef.Name).Data {
			out[k] = v
		}
	}
	for _, e := range container(t, d).Env {
		if _, twice := out[e.Name]; twice {
			t.Errorf("%s: %s is set twice", d.Name, e.Name)
		}
		out[e.Name] = e.Value
	}
	return out
}

// wantUsable holds each deployment to what every one must have, and starts the
// program's own check on its settings and files.
func (c cluster) wantUsable(t *testing.T) {
	t.Helper()
	for name, d := range c.deployments() {
		pod := d.Spec.Template.Spec
		main := container(t, d)
		s := main.SecurityContext
		switch {
		case s == nil || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation, !*s.ReadOnlyRootFilesystem, len(s.Capabilities.Drop) != 1 || s.Capabilities.Drop[0] != "ALL":
			t.Errorf("%s: the container is not restricted: %+v", name, s)
		case !*pod.SecurityContext.RunAsNonRoot, *pod.SecurityContext.RunAsUser == 0, pod.SecurityContext.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault:
			t.Errorf("%s: the pod is not restricted: %+v", name, pod.SecurityContext)
		case *pod.AutomountServiceAccountToken, *pod.EnableServiceLinks:
			t.Errorf("%s: a token or Service variables are mounted", name)
		}
		for probe, p := range map[string]*corev1.Probe{"/livez": main.LivenessProbe, "/readyz": main.ReadinessProbe} {
			if p == nil || p.HTTPGet == nil || p.HTTPGet.Path != probe || p.HTTPGet.Port.StrVal != "ops" {
				t.Errorf("%s: no probe of %s on the ops port", name, probe)
			}
		}
		for k, v := range d.Spec.Selector.MatchLabels {
			if d.Spec.Template.Labels[k] != v {
				t.Errorf("%s does not select its own pods: %s", name, k)
			}
		}
		for variable := range c.env(t, d) {
			if strings.HasPrefix(variable, "TOLLGATE_") && !variables[variable] {
				t.Errorf("%s: %s is no variable of tollgate", name, variable)
			}
		}
		c.wantValid(t, d)
	}
}

// wantValid runs `tollgate validate` on a deployment: its variables, with the files
// that its volumes would bring.
func (c cluster) wantValid(t *testing.T, d *appsv1.Deployment) {
	t.Helper()
	root := t.TempDir()
	for _, v := range d.Spec.Template.Spec.Volumes {
		at := ""
		for _, m := range container(t, d).VolumeMounts {
			if m.Name == v.Name {
				at = filepath.Join(root, m.MountPath)
			}
		}
		if at == "" {
			t.Errorf("%s: the volume %s is mounted nowhere", d.Name, v.Name)
		}
		for file, text := range c.files(t, v) {
			if err := errors.Join(os.MkdirAll(at, 0o700), os.WriteFile(filepath.Join(at, file), []byte(text), 0o600)); err != nil {
				t.Fatal(err)
			}
		}
	}
	cmd := exec.Command(program, "validate")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	for k, v := range c.env(t, d) {
		if strings.HasPrefix(v, "/run/") || strings.HasPrefix(v, "/etc/") {
			v = filepath.Join(root, v)
		}
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s: tollgate validate: %v\n%s", d.Name, err, out)
	}
	for line := range strings.Lines(string(out)) {
		// The cluster's own network is what admin.expose and split mean.
		meant := strings.Contains(line, "TOLLGATE_ADMIN_LISTEN is not on loopback") || strings.Contains(line, "trusted issuers:")
		if strings.HasPrefix(line, "warning:") && !meant {
			t.Errorf("%s: tollgate validate: %s", d.Name, line)
		}
	}
}

// files are what a volume holds. What a Secret outside of the chart holds is what
// its keys are named for.
func (c cluster) files(t *testing.T, v corev1.Volume) map[string]string {
	t.Helper()
	out := map[string]string{}
	switch {
	case v.ConfigMap != nil:
		for k, text := range one[*corev1.ConfigMap](t, c, "ConfigMap/"+v.ConfigMap.Name).Data {
			out[k] = text
		}
	case v.Secret != nil:
		said := map[string]string{
			"admin-token": "admin-token-of-the-tests", "key-encryption-key": "c2VhbGluZy1rZXktb2YtdGhlLXRlc3RzLTMyYnl0ZXM=",
			"redis-password": "a", "redis-password-edge": "b", "redis-url": "redis://10.0.0.1:6379/0",
		}
		if s, ok := c["Secret/"+v.Secret.SecretName].(*corev1.Secret); ok {
			said = s.StringData
		}
		for _, item := range v.Secret.Items {
			if said[item.Key] == "" {
				t.Errorf("the Secret %s has no %s", v.Secret.SecretName, item.Key)
			}
			out[item.Path] = said[item.Key]
		}
		if len(v.Secret.Items) == 0 {
			out["ca.crt"] = ""
		}
	}
	return out
}
