package kubetest_test

import (
	"bufio"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

const chartDir = "../helm/tollgate"

func newReader(text string) *bufio.Reader { return bufio.NewReader(strings.NewReader(text)) }

func mustChart(t *testing.T) *chart.Chart {
	t.Helper()
	c, err := loader.Load(chartDir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// least is what every release gives.
const least = `
issuer: https://auth.example.com
secrets: {existingSecret: mine}
settings: {UPSTREAM: "http://app:8000"}
`

func values(t *testing.T, texts ...string) map[string]any {
	t.Helper()
	all := map[string]any{}
	for _, text := range texts {
		var more map[string]any
		if err := yaml.Unmarshal([]byte(text), &more); err != nil {
			t.Fatal(err)
		}
		maps.Copy(all, more)
	}
	return all
}

// render is `helm template RELEASE`.
func render(t *testing.T, release string, given map[string]any) (string, error) {
	t.Helper()
	c := mustChart(t)
	full, err := chartutil.ToRenderValues(c, given, chartutil.ReleaseOptions{Name: release, Namespace: "ns", IsInstall: true, Revision: 1}, chartutil.DefaultCapabilities)
	if err != nil {
		return "", err
	}
	files, err := engine.Render(c, full)
	if err != nil {
		return "", err
	}
	var all strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if strings.HasSuffix(name, ".yaml") {
			fmt.Fprintf(&all, "---\n%s\n", files[name])
		}
	}
	return all.String(), nil
}

func mustRender(t *testing.T, texts ...string) cluster {
	t.Helper()
	text, err := render(t, "tollgate", values(t, append([]string{least}, texts...)...))
	if err != nil {
		t.Fatal(err)
	}
	return mustDecode(t, text)
}

func TestChartLints(t *testing.T) {
	for _, m := range lint.All(chartDir, values(t, least), "ns", true).Messages {
		if m.Severity >= support.WarningSev {
			t.Error(m)
		}
	}
}

func TestChartDefault(t *testing.T) {
	c := mustRender(t)
	c.wantUsable(t)
	d := c.deployments()["tollgate"]
	if *d.Spec.Replicas != 2 || *d.Spec.Template.Spec.TerminationGracePeriodSeconds != 50 {
		t.Errorf("replicas %d, grace %d", *d.Spec.Replicas, *d.Spec.Template.Spec.TerminationGracePeriodSeconds)
	}
	want := map[string]string{
		"TOLLGATE_SHUTDOWN_DELAY": "10s", "TOLLGATE_SHUTDOWN_TIMEOUT": "30s", "TOLLGATE_ENABLE_ISSUER": "true", "TOLLGATE_UPSTREAM": "http://app:8000",
		"TOLLGATE_REDIS_URL": "redis://redis:6379/0", "TOLLGATE_REDIS_PASSWORD_FILE": "/run/secrets/tollgate/redis-password",
	}
	got := c.env(t, d)
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%s=%q, want %q", k, got[k], v)
		}
	}
	if spread := d.Spec.Template.Spec.TopologySpreadConstraints; len(spread) != 2 || spread[0].LabelSelector == nil {
		t.Errorf("spread %+v", spread)
	}
	if pdb := one[*policyv1.PodDisruptionBudget](t, c, "PodDisruptionBudget/tollgate"); pdb.Spec.MaxUnavailable.IntValue() != 1 || pdb.Spec.MinAvailable != nil {
		t.Errorf("budget %+v", pdb.Spec)
	}
	kinds := map[string]int{}
	for key := range c {
		kind, _, _ := strings.Cut(key, "/")
		kinds[kind]++
	}
	if fmt.Sprint(kinds) != "map[Deployment:1 PodDisruptionBudget:1 Service:1 ServiceAccount:1]" {
		t.Errorf("what nobody asked for: %v", kinds)
	}
}

func TestChartSplit(t *testing.T) {
	c := mustRender(t, `
split: {enabled: true}
edge: {replicaCount: 5, autoscaling: {enabled: true, maxReplicas: 20}, settings: {REVOCATION_MODE: lookup, AUDIENCE: "shop, web"}}
issuerRole: {resources: {requests: {cpu: "1"}}}
redis: {host: r, username: tollgate-issuer, edgeUsername: tollgate-edge, edgePasswordKey: redis-password-edge}
trustedIssuers: [{issuer: "https://other.example", jwks_url: "https://other.example/jwks.json"}]
ingress: {enabled: true, className: nginx, hosts: [app.example.com], tls: [{secretName: cert, hosts: [app.example.com]}]}
admin: {expose: true}
`)
	c.wantUsable(t)
	edge, issuer := c.deployments()["tollgate-edge"], c.deployments()["tollgate-issuer"]
	if edge.Spec.Replicas != nil || *issuer.Spec.Replicas != 2 {
		t.Errorf("replicas: the autoscaler's edge %v, issuer %v", edge.Spec.Replicas, issuer.Spec.Replicas)
	}
	e, i := c.env(t, edge), c.env(t, issuer)
	for name, want := range map[string][2]string{ // edge, issuer
		"TOLLGATE_ENABLE_GATEWAY": {"true", "false"}, "TOLLGATE_ENABLE_ISSUER": {"false", "true"}, "TOLLGATE_ENABLE_ADMIN": {"false", "true"},
		"TOLLGATE_ADMIN_TOKEN_FILE": {"", "/run/secrets/tollgate/admin-token"}, "TOLLGATE_KEY_ENCRYPTION_KEY_FILE": {"", "/run/secrets/tollgate/key-encryption-key"},
		"TOLLGATE_REDIS_USERNAME": {"tollgate-edge", "tollgate-issuer"}, "TOLLGATE_REVOCATION_MODE": {"lookup", ""},
		"TOLLGATE_UPSTREAM": {"http://app:8000", ""}, "TOLLGATE_ADMIN_LISTEN": {"", ":8081"},
	} {
		if got := [2]string{e[name], i[name]}; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for _, v := range edge.Spec.Template.Spec.Volumes {
		if v.Secret != nil && (len(v.Secret.Items) != 1 || v.Secret.Items[0].Key != "redis-password-edge") {
			t.Errorf("an edge gets more than its password: %+v", v.Secret.Items)
		}
	}
	trusted := one[*corev1.ConfigMap](t, c, "ConfigMap/tollgate-edge-issuers").Data["issuers.yaml"]
	for _, want := range []string{"http://tollgate-issuer:80/.well-known/jwks.json", "https://auth.example.com", "https://other.example", "- shop\n", "- web\n"} {
		if !strings.Contains(trusted, want) {
			t.Errorf("an edge does not trust %s:\n%s", want, trusted)
		}
	}
	if issuer.Spec.Template.Spec.Containers[0].Resources.Requests.Cpu().String() != "1" || edge.Spec.Template.Spec.Containers[0].Resources.Requests.Cpu().String() != "100m" {
		t.Error("one's resources are the other's")
	}
	hpa := one[*autoscalingv2.HorizontalPodAutoscaler](t, c, "HorizontalPodAutoscaler/tollgate-edge")
	if hpa.Spec.ScaleTargetRef.Name != "tollgate-edge" || hpa.Spec.MaxReplicas != 20 || *hpa.Spec.MinReplicas != 2 || c["HorizontalPodAutoscaler/tollgate-issuer"] != nil {
		t.Errorf("autoscaler %+v", hpa.Spec)
	}
	paths := one[*networkingv1.Ingress](t, c, "Ingress/tollgate").Spec.Rules[0].HTTP.Paths
	if last := paths[len(paths)-1]; len(paths) != 7 || last.Path != "/" || last.Backend.Service.Name != "tollgate-edge" || paths[0].Backend.Service.Name != "tollgate-issuer" {
		t.Errorf("paths %+v", paths)
	}
	// Each Service has the pods that are meant, and no others.
	for _, name := range []string{"tollgate-edge", "tollgate-issuer", "tollgate-issuer-admin"} {
		s := one[*corev1.Service](t, c, "Service/"+name)
		for target, d := range map[string]map[string]string{"edge": edge.Spec.Template.Labels, "issuer": issuer.Spec.Template.Labels} {
			takes := true
			for k, v := range s.Spec.Selector {
				takes = takes && d[k] == v
			}
			if takes != strings.Contains(name, target) {
				t.Errorf("the Service %s takes the %s: %v", name, target, takes)
			}
		}
	}
}

func TestChartRedis(t *testing.T) {
	for want, given := range map[string]string{
		"redis://r:6380/2":  "redis: {host: r, port: 6380, database: 2}",
		"rediss://r:6379/0": "redis: {host: r, tls: {enabled: true, caSecret: ca}}",
		"redis+sentinel://a:26379,b:26379,c:26379/main/1": "redis: {mode: sentinel, nodes: ['a:26379', 'b:26379', 'c:26379'], master: main, database: 1}",
		"rediss+sentinel://a:26379/tollgate/0":            "redis: {mode: sentinel, nodes: ['a:26379'], tls: {enabled: true}}",
		"redis+cluster://a:6379,b:6379":                   "redis: {mode: cluster, nodes: ['a:6379', 'b:6379']}",
	} {
		c := mustRender(t, given)
		d := c.deployments()["tollgate"]
		got := c.env(t, d)
		if got["TOLLGATE_REDIS_URL"] != want {
			t.Errorf("%s: %s, want %s", given, got["TOLLGATE_REDIS_URL"], want)
		}
		if strings.Contains(given, "caSecret") {
			if got["TOLLGATE_REDIS_CA_FILE"] != "/etc/tollgate/redis/ca.crt" {
				t.Errorf("authority %q", got["TOLLGATE_REDIS_CA_FILE"])
			}
			continue // the test has no certificate that validate would take
		}
		c.wantUsable(t)
	}
	c := mustRender(t, "redis: {urlKey: redis-url}")
	c.wantUsable(t)
	if got := c.env(t, c.deployments()["tollgate"]); got["TOLLGATE_REDIS_URL_FILE"] == "" || got["TOLLGATE_REDIS_URL"] != "" || got["TOLLGATE_REDIS_PASSWORD_FILE"] != "" {
		t.Errorf("a URL of the Secret: %v", got)
	}
}

func TestChartRoutesAndSecrets(t *testing.T) {
	c := mustRender(t, `
settings: {ACCESS_TTL: 2m, AUDIENCE: "shop,web", MAX_TOKEN_BYTES: 4096, STATUS_LIST: true}
secrets: {adminToken: sixteen-characters, keyEncryptionKey: c2VhbGluZy1rZXktb2YtdGhlLXRlc3RzLTMyYnl0ZXM=, redisPassword: p}
routes: {config: {version: 1, upstreams: {app: {urls: ["http://app:8000"]}}, routes: [{name: app, match: {path: /}, upstream: app}]}}
extraEnv: [{name: OTEL_EXPORTER_OTLP_ENDPOINT, value: "http://otel:4318"}]
`)
	c.wantUsable(t)
	got := c.env(t, c.deployments()["tollgate"])
	for k, v := range map[string]string{"TOLLGATE_ACCESS_TTL": "2m", "TOLLGATE_MAX_TOKEN_BYTES": "4096", "TOLLGATE_STATUS_LIST": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://otel:4318"} {
		if got[k] != v {
			t.Errorf("%s=%q, want %q", k, got[k], v)
		}
	}
	if one[*corev1.Secret](t, c, "Secret/tollgate").StringData["redis-password"] != "p" || c["ConfigMap/tollgate-routes"] == nil {
		t.Error("no Secret or no routes")
	}
	text, err := render(t, "shop", values(t, least, "fullnameOverride: gate"))
	if err != nil || !strings.Contains(text, "name: gate\n") || strings.Contains(text, "shop-tollgate") {
		t.Errorf("another name: %v", err)
	}
}

func TestChartExtras(t *testing.T) {
	c := mustRender(t, `
serviceMonitor: {enabled: true, labels: {release: prometheus}}
networkPolicy: {enabled: true, from: [{namespaceSelector: {matchLabels: {name: ingress}}}], metricsFrom: [{namespaceSelector: {}}], egress: [{ports: [{port: 6379}]}]}
httpRoute: {enabled: true, parentRefs: [{name: gw}], hostnames: [app.example.com]}
podDisruptionBudget: {enabled: true, minAvailable: 1}
shutdown: {delaySeconds: 5, timeoutSeconds: 60}
tolerations: [{key: a, operator: Exists}]
nodeSelector: {kubernetes.io/os: linux}
`)
	c.wantUsable(t)
	if grace := *c.deployments()["tollgate"].Spec.Template.Spec.TerminationGracePeriodSeconds; grace != 75 {
		t.Errorf("grace %d, want 75", grace)
	}
	monitor := one[*unstructured.Unstructured](t, c, "ServiceMonitor/tollgate")
	wanted, _, _ := unstructured.NestedStringMap(monitor.Object, "spec", "selector", "matchLabels")
	for k, v := range wanted {
		if one[*corev1.Service](t, c, "Service/tollgate-ops").Labels[k] != v {
			t.Errorf("the monitor finds no Service: %s=%s", k, v)
		}
		if c["Service/tollgate"].(*corev1.Service).Labels[k] == v && k == "app.kubernetes.io/component" {
			t.Error("the monitor finds the public Service")
		}
	}
	p := one[*networkingv1.NetworkPolicy](t, c, "NetworkPolicy/tollgate").Spec
	if len(p.Ingress) != 2 || len(p.Egress) != 2 || len(p.PolicyTypes) != 2 {
		t.Errorf("policy %+v", p)
	}
	route := one[*unstructured.Unstructured](t, c, "HTTPRoute/tollgate")
	if rules, _, _ := unstructured.NestedSlice(route.Object, "spec", "rules"); len(rules) != 1 {
		t.Errorf("rules %v", rules)
	}
}

func TestChartRefuses(t *testing.T) {
	for given, want := range map[string]string{
		"issuer: ''":                                       "issuer is required",
		"issuer: auth.example.com":                         "issuer",
		"secrets: {}":                                      "existingSecret",
		"secrets: {adminToken: short}":                     "adminToken",
		"settings: {}":                                     "where do requests go",
		"settings: {UPSTREAM: u, ADMIN_TOKEN: x}":          "secrets are no settings",
		"settings: {UPSTREAM: u, LISTEN: ':1'}":            "the chart sets it",
		"settings: {UPSTREAM: u, TOLLGATE_ACCESS_TTL: 5m}": "invalid propertyName",
		"routes: {existingConfigMap: a}":                   "one of them",
		"redis: {mode: sentinel}":                          "redis.nodes",
		"redis: {mode: replicated}":                        "redis",
		"replicas: 3":                                      "replicas",
		"ingress: {enabled: true}":                         "ingress.hosts",
		"httpRoute: {enabled: true}":                       "httpRoute.parentRefs",
		"shutdown: {delaySeconds: -1}":                     "delaySeconds",
	} {
		if _, err := render(t, "tollgate", values(t, least, given)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want something on %q", given, err, want)
		}
	}
}
