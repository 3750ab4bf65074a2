package kubetest_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
)

// mustKustomize builds a folder with kubectl. Where it is missing the test is
// skipped, or failed when CI=true.
func mustKustomize(t *testing.T, folder string) cluster {
	t.Helper()
	kubectl, err := exec.LookPath("kubectl")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("CI=true and no kubectl on PATH: install Debian's kubernetes-client")
		}
		t.Skip("no kubectl on PATH (Debian: apt-get install kubernetes-client)")
	}
	cmd := exec.Command(kubectl, "kustomize", "../kustomize/"+folder)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil || complaint.Len() > 0 {
		t.Fatalf("%s: %v\n%s", folder, err, complaint.String())
	}
	c := mustDecode(t, string(out))
	c.wantUsable(t)
	return c
}

func TestKustomize(t *testing.T) {
	for folder, want := range map[string]struct {
		name    string
		set     map[string]string // "" is not set
		secrets int               // what of the Secret the pod gets
	}{
		"base": {"tollgate", map[string]string{"TOLLGATE_ENABLE_ISSUER": "true", "TOLLGATE_ENABLE_GATEWAY": "true", "TOLLGATE_REDIS_USERNAME": "tollgate-issuer"}, 3},
		"overlays/edge": {"tollgate-edge", map[string]string{
			"TOLLGATE_ENABLE_ISSUER": "false", "TOLLGATE_ENABLE_ADMIN": "false", "TOLLGATE_REDIS_USERNAME": "tollgate-edge", "TOLLGATE_ADMIN_TOKEN_FILE": "",
			"TOLLGATE_KEY_ENCRYPTION_KEY_FILE": "", "TOLLGATE_ROUTES_FILE": "/etc/tollgate/routes/routes.yaml",
		}, 1},
		"overlays/issuer":   {"tollgate-issuer", map[string]string{"TOLLGATE_ENABLE_GATEWAY": "false", "TOLLGATE_ROUTES_FILE": "", "TOLLGATE_ENABLE_ADMIN": "true"}, 3},
		"overlays/sentinel": {"tollgate", map[string]string{"TOLLGATE_REDIS_MIN_REPLICAS_ACK": "1"}, 3},
	} {
		t.Run(folder, func(t *testing.T) {
			c := mustKustomize(t, folder)
			d := c.deployments()[want.name]
			if d == nil || len(c.deployments()) != 1 {
				t.Fatalf("deployments %v", c.deployments())
			}
			got := c.env(t, d)
			for k, v := range want.set {
				if got[k] != v {
					t.Errorf("%s=%q, want %q", k, got[k], v)
				}
			}
			for _, v := range d.Spec.Template.Spec.Volumes {
				if v.Secret != nil && (v.Secret.SecretName != "tollgate-secrets" || len(v.Secret.Items) != want.secrets) {
					t.Errorf("of the Secret: %+v", v.Secret)
				}
			}
			// Who selects pods selects these.
			labels := d.Spec.Template.Labels
			for owner, selector := range map[string]map[string]string{
				"service": one[*corev1.Service](t, c, "Service/"+want.name).Spec.Selector,
				"budget":  one[*policyv1.PodDisruptionBudget](t, c, "PodDisruptionBudget/"+want.name).Spec.Selector.MatchLabels,
				"spread":  d.Spec.Template.Spec.TopologySpreadConstraints[0].LabelSelector.MatchLabels,
			} {
				if len(selector) == 0 {
					t.Errorf("the %s selects everything", owner)
				}
				for k, v := range selector {
					if labels[k] != v {
						t.Errorf("the %s does not select the pods: %s=%s", owner, k, v)
					}
				}
			}
		})
	}
}
