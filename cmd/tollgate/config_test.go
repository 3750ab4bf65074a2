package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate/internal/problem"
	"tollgate/issuer"
	"tollgate/keys"
	"tollgate/keys/token"
)

const testAdminToken = "0123456789abcdef"

// working is the least that `tollgate serve` needs.
func working() map[string]string {
	return map[string]string{
		"TOLLGATE_ISSUER": "https://id.example.com", "TOLLGATE_ADMIN_TOKEN": testAdminToken,
		"TOLLGATE_UPSTREAM": "http://127.0.0.1:8000", "TOLLGATE_ALLOW_UNSEALED_KEYS": "true",
	}
}

// with returns working with changes; a value of "-" removes the variable.
func with(changes map[string]string) map[string]string {
	env := working()
	maps.Copy(env, changes)
	maps.DeleteFunc(env, func(_, v string) bool { return v == "-" })
	return env
}

// setEnv makes env the only TOLLGATE_ variables there are, until the test's end.
func setEnv(t *testing.T, env map[string]string) {
	t.Helper()
	for _, entry := range os.Environ() {
		if name, value, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "TOLLGATE_") {
			t.Setenv(name, value) // puts it back afterwards
			if err := os.Unsetenv(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, value := range env {
		t.Setenv(name, value)
	}
}

// mustLoad loads a configuration that has no fault.
func mustLoad(t *testing.T, env map[string]string) *Config {
	t.Helper()
	setEnv(t, env)
	c, err := loadConfig(nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// faultsOf loads a configuration and returns its faults as "NAME problem".
func faultsOf(t *testing.T, env map[string]string) []string {
	t.Helper()
	setEnv(t, env)
	_, err := loadConfig(nil)
	if err == nil {
		return nil
	}
	var faulty *configError
	if !errors.As(err, &faulty) {
		t.Fatalf("not a *configError: %v", err)
	}
	var out []string
	for _, f := range faulty.Faults {
		out = append(out, f.Name+" "+f.Problem)
	}
	return out
}

func TestDefaults(t *testing.T) {
	c := mustLoad(t, working())
	if len(c.Warnings) > 0 {
		t.Errorf("warnings: %q", c.Warnings)
	}
	for _, tt := range []struct {
		name      string
		got, want any
	}{
		{"listen", c.Listeners.Listen.Value, ":8080"},
		{"admin", c.Listeners.AdminListen.Value, "127.0.0.1:8081"},
		{"ops", c.Listeners.OpsListen.Value, "127.0.0.1:9000"},
		{"header bytes", c.Listeners.MaxHeaderBytes.Value, 16384},
		{"delay", c.Listeners.ShutdownDelay.Value, time.Duration(0)},
		{"roles", []bool{c.Roles.Gateway.Value, c.Roles.Issuer.Value, c.Roles.Admin.Value}, []bool{true, true, true}},
		{"redis", c.Redis.URL.target.addrs, []string{"127.0.0.1:6379"}},
		{"prefix", c.Redis.Prefix.Value, "tg:"},
		{"op timeout", c.Redis.OpTimeout.Value, 100 * time.Millisecond},
		{"refresh", c.Tokens.RefreshTTL.Value, 24 * time.Hour},
		{"session", c.Tokens.SessionMaxTTL.Value, 720 * time.Hour},
		{"schemes", c.Tokens.AuthHeaderTypes.Value, []string{"Bearer"}},
		{"algorithms", c.Keys.SigningAlg.Value, []keys.Algorithm{keys.ES256}},
		{"key store", c.Keys.Store.Value, ""},
		{"on unavailable", c.Revocation.OnUnavailable.Value, "deny"},
		{"API prefix", c.Shape.APIPrefix.Value, "/api"},
		{"profiles", c.Shape.Compat.Value, []problem.Profile{problem.SimpleJWT}},
		{"drf-jwt", c.drf(), issuer.DRFSettings{TokenID: issuer.TokenIDRequire}},
		{"nobody impersonates by a claim", c.Login.ImpersonateClaim.Value, (*token.ClaimRule)(nil)},
		{"log", []string{c.Observe.LogLevel.Value, c.Observe.LogFormat.Value}, []string{"info", "auto"}},
		{"max-age", c.jwksMaxAge(), 5 * time.Minute},
		{"TLS", []string{c.Listeners.TLSCertFile.Value, c.Listeners.TLSKeyFile.Value}, []string{"", ""}},
		{"HSTS", c.Listeners.HSTS.Value, time.Duration(0)},
		{"CORS", len(c.Listeners.CORSOrigins.Value), 0},
		{"cookies", []string{c.Cookies.Name.Value, c.Cookies.ImpersonationName.Value}, []string{"", ""}},
		{"foreign keys", []time.Duration{c.Keys.JWKSRefresh.Value, c.Keys.JWKSMinRefetch.Value}, []time.Duration{5 * time.Minute, 10 * time.Second}},
	} {
		if diff := cmp.Diff(tt.want, tt.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	if c.loginSlots() < 1 {
		t.Errorf("%d log-in slots", c.loginSlots())
	}
}

func TestValues(t *testing.T) {
	c := mustLoad(t, with(map[string]string{
		"TOLLGATE_ADMIN_LISTEN": "", "TOLLGATE_OPS_LISTEN": " [::1]:9000 ",
		"TOLLGATE_TRUSTED_PROXIES":           "10.1.2.3/8, 192.0.2.1 ,2001:db8::/32",
		"TOLLGATE_MAX_HEADER_BYTES":          "1MiB",
		"TOLLGATE_LEEWAY":                    "0s",
		"TOLLGATE_ACCESS_TTL":                "", // as a Compose file passes on what is not set
		"TOLLGATE_AUDIENCE":                  " shop-api , admin-api",
		"TOLLGATE_ISSUER_HOSTS":              "ID.example.com",
		"TOLLGATE_CLAIMS":                    "mail = email, tenant=tenant",
		"TOLLGATE_AUTH_HEADER_TYPES":         "Bearer, JWT",
		"TOLLGATE_TOKEN_TYP":                 "AT+JWT",
		"TOLLGATE_SIGNING_ALG":               "RS256, EdDSA",
		"TOLLGATE_KEY_STORE":                 "file:/var/lib/tollgate",
		"TOLLGATE_JWKS_MAX_AGE":              "1h",
		"TOLLGATE_JWKS_MIN_REFETCH":          "1s",
		"TOLLGATE_CORS_ORIGINS":              "https://a.example , http://localhost:5173",
		"TOLLGATE_COOKIE_NAME":               " access ",
		"TOLLGATE_LOGIN_CONCURRENCY":         "3",
		"TOLLGATE_ADMIN_TOKEN":               "-",
		"TOLLGATE_LOG_LEVEL":                 "WARN",
		"TOLLGATE_ACCESS_LOG":                "0",
		"TOLLGATE_USER_ID_CLAIM":             "sub",
		"TOLLGATE_REFRESH_TTL":               "1000h",
		"TOLLGATE_API_PREFIX":                "/auth/v1",
		"TOLLGATE_REDIS_ALLOW_EVICTION":      "true",
		"TOLLGATE_COMPAT":                    "DRF-JWT, simplejwt",
		"TOLLGATE_DRF_ALLOW_REFRESH":         "false",
		"TOLLGATE_DRF_INCLUDE_USER_ID":       "false",
		"TOLLGATE_IMPERSONATE_CLAIM":         "can_impersonate = true",
		"TOLLGATE_KEY_ENCRYPTION_KEY":        strings.Repeat("A", 43) + "=, " + strings.Repeat("_", 42) + "8",
		"TOLLGATE_REVOCATION_MAX_STALE":      "1s",
		"TOLLGATE_ALLOW_UNSEALED_KEYS":       "-",
		"TOLLGATE_REDIS_URL":                 "embedded:",
		"TOLLGATE_REVOCATION_ON_UNAVAILABLE": "allow",
		"TOLLGATE_REVOCATION_MODE":           "Lookup",
		"TOLLGATE_REVOCATION_JOURNAL":        "/not-yet-there",
	}))
	for _, tt := range []struct {
		name      string
		got, want any
	}{
		{"admin off", c.adminOn(), false},
		{"ops", c.Listeners.OpsListen.Value, "[::1]:9000"},
		{"proxies", fmt.Sprint(c.Listeners.TrustedProxies.Value), "[10.0.0.0/8 192.0.2.1/32 2001:db8::/32]"},
		{"header bytes", c.Listeners.MaxHeaderBytes.Value, 1 << 20},
		{"leeway", c.Tokens.Leeway.Value, time.Duration(0)},
		{"empty is the default", c.Tokens.AccessTTL.Value, 5 * time.Minute},
		{"audience", c.Tokens.Audience.Value, []string{"shop-api", "admin-api"}},
		{"hosts", c.Tokens.IssuerHosts.Value, []string{"id.example.com"}},
		{"claims", c.Tokens.Claims.Value, []Claim{{"mail", "email"}, {"tenant", "tenant"}}},
		{"schemes", c.Tokens.AuthHeaderTypes.Value, []string{"Bearer", "JWT"}},
		{"typ", c.Tokens.TokenTyp.Value, "at+jwt"},
		{"algorithms", c.Keys.SigningAlg.Value, []keys.Algorithm{keys.RS256, keys.EdDSA}},
		{"key directory", c.Keys.Store.Value, "/var/lib/tollgate"},
		{"max-age", c.jwksMaxAge(), 15 * time.Minute},
		{"refetch", c.Keys.JWKSMinRefetch.Value, time.Second},
		{"CORS", c.Listeners.CORSOrigins.Value, []string{"https://a.example", "http://localhost:5173"}},
		{"cookie", c.Cookies.Name.Value, "access"},
		{"slots", c.loginSlots(), 3},
		{"level", c.Observe.LogLevel.Value, "warn"},
		{"access log", c.Observe.AccessLog.Value, false},
		{"refresh is cut", c.Tokens.RefreshTTL.Value, 720 * time.Hour},
		{"seal keys", len(c.Keys.EncryptionKey.Keys()), 2},
		{"profiles", c.Shape.Compat.Value, []problem.Profile{problem.DRF, problem.SimpleJWT}},
		{"drf-jwt", c.drf(), issuer.DRFSettings{TokenID: issuer.TokenIDRequire, NoRefresh: true, NoUserID: true}},
		{"impersonation", c.Login.ImpersonateClaim.Value, &token.ClaimRule{Name: "can_impersonate", OneOf: []string{"true"}}},
		{"embedded", c.Redis.URL.Embedded(), true},
		{"allow", c.Revocation.OnUnavailable.Value, "allow"},
		{"mode", c.Revocation.Mode.Value, "lookup"},
		{"journal", c.Revocation.Journal.Value, "/not-yet-there"},
		{"replicas", c.Redis.MinReplicas.Value, 0},
	} {
		if diff := cmp.Diff(tt.want, tt.got, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	if want := []string{"TOLLGATE_REFRESH_TTL is cut to TOLLGATE_SESSION_MAX_TTL, 720h0m0s"}; !slices.Equal(c.Warnings, want) {
		t.Errorf("warnings %q, want %q", c.Warnings, want)
	}
}

func TestCallersDefaults(t *testing.T) {
	setEnv(t, with(map[string]string{"TOLLGATE_LISTEN": ":1", "TOLLGATE_ISSUER": "", "TOLLGATE_ADMIN_TOKEN_FILE": mustWrite(t, "fedcba9876543210\n"), "TOLLGATE_ADMIN_TOKEN": "-"}))
	c, err := loadConfig(map[string]string{
		"TOLLGATE_LISTEN": ":2", "TOLLGATE_ISSUER": "http://127.0.0.1", "TOLLGATE_REDIS_URL": "embedded:",
		"TOLLGATE_ADMIN_TOKEN": "another-admin-token", "TOLLGATE_OPS_LISTEN": "127.0.0.1:0",
	})
	if err != nil {
		t.Fatal(err)
	}
	got := []string{c.Listeners.Listen.Value, c.Tokens.Issuer.Value, c.Listeners.OpsListen.Value, c.Admin.Token.Reveal()}
	if want := []string{":1", "http://127.0.0.1", "127.0.0.1:0", "fedcba9876543210"}; !slices.Equal(got, want) || !c.Redis.URL.Embedded() {
		t.Errorf("got %q, want %q", got, want)
	}
}

func mustWrite(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestEveryFieldIsASetting walks Config: all that loadConfig takes for granted.
func TestEveryFieldIsASetting(t *testing.T) {
	name := regexp.MustCompile(`^TOLLGATE_[A-Z]+(_[A-Z]+)*$`)
	seen := map[string]bool{}
	for _, g := range groupsOf(&Config{}) {
		for i := range g.fields.NumField() {
			f := g.fields.Type().Field(i)
			if _, ok := g.fields.Field(i).Addr().Interface().(setting); !ok {
				t.Errorf("%s.%s is no setting", g.name, f.Name)
			}
		}
	}
	for _, v := range variablesOf(&Config{}) {
		if !name.MatchString(v.name) || seen[v.name] {
			t.Errorf("%s: a name twice or of another form", v.name)
		}
		seen[v.name] = true
		if fromKubernetes(v.name) {
			t.Errorf("%s: Kubernetes sets variables of that form", v.name)
		}
		if v.tag.Get("desc") == "" {
			t.Errorf("%s has no description", v.name)
		}
		if text, ok := v.tag.Lookup("default"); ok {
			_ = v.field.Decode(text)
			if c, ok := v.field.(constrained); ok {
				c.constrain(v.tag)
			}
			if problem := v.field.fault(); problem != "" {
				t.Errorf("%s: its default %q %s", v.name, text, problem)
			}
		}
	}
}

// TestNothingShowsSecrets puts secrets into every variable that may hold one,
// valid and not, and greps whatever can be printed of the outcome for them.
func TestNothingShowsSecrets(t *testing.T) {
	sealKey := strings.Repeat("s3CR", 10) + "s3A"
	secrets := []string{
		"hunter2-admin-token", "hunter2-redis", "hunter2-user", "hunter2-url", sealKey, "hunter2-short", "hunter2-unknown", "hunter2-path",
		"hunter2-sentinel",
	}
	for name, env := range map[string]map[string]string{
		"good": with(map[string]string{
			"TOLLGATE_ADMIN_TOKEN": "hunter2-admin-token", "TOLLGATE_REDIS_PASSWORD": "hunter2-redis",
			"TOLLGATE_REDIS_URL":          "redis+sentinel://hunter2-user:hunter2-url@h:26379/m/0?sentinel_password=hunter2-sentinel",
			"TOLLGATE_KEY_ENCRYPTION_KEY": sealKey,
		}),
		"both": with(map[string]string{
			"TOLLGATE_ADMIN_TOKEN": "hunter2-admin-token", "TOLLGATE_ADMIN_TOKEN_FILE": mustWrite(t, "hunter2-admin-token"),
			"TOLLGATE_REDIS_PASSWORD": "hunter2-redis", "TOLLGATE_REDIS_PASSWORD_FILE": "hunter2-path",
		}),
		"faulty": with(map[string]string{
			"TOLLGATE_ADMIN_TOKEN": "hunter2-short", "TOLLGATE_REDIS_URL": "redis://hunter2-user:hunter2-url@h:port/x",
			"TOLLGATE_KEY_ENCRYPTION_KEY": sealKey + "AAAA", "TOLLGATE_REDIS_PASSWORD_FILE": "hunter2-path",
			"TOLLGATE_UPSTREAM": "http://hunter2-user:hunter2-url@h", "TOLLGATE_PUBLIC_URL": "hunter2-url:%",
			"TOLLGATE_ISSUER": "https://u:hunter2-url@h", "TOLLGATE_USERS": "https://u:hunter2-url@h/login",
			"TOLLGATE_REDIS_PASWORD": "hunter2-unknown",
		}),
		"more faulty": with(map[string]string{
			"TOLLGATE_REDIS_URL": "hunter2-url", "TOLLGATE_KEY_ENCRYPTION_KEY": sealKey + "," + sealKey + "!",
			"TOLLGATE_ADMIN_TOKEN": "hunter2-admin-token with blank", "TOLLGATE_ISSUER": "hunter2-url:\x7f",
		}),
	} {
		t.Run(name, func(t *testing.T) {
			setEnv(t, env)
			c, err := loadConfig(nil)
			if (err == nil) != (name == "good") {
				t.Fatalf("err: %v", err)
			}
			var out bytes.Buffer
			fmt.Fprintln(&out, err, c.Warnings)
			for _, v := range []any{c, *c, c.Redis, c.Admin, c.Admin.Token, &c.Admin.Token, c.Keys, c.Redis.URL, struct{ s Secret }{c.Admin.Token}} {
				fmt.Fprintf(&out, "%v %+v %#v %s\n", v, v, v, v)
			}
			if err := json.NewEncoder(&out).Encode(map[string]any{"all": c, "key": map[Secret]int{c.Admin.Token: 1}}); err != nil {
				t.Fatal(err)
			}
			for _, h := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
				slog.New(h).Error("x", "err", err, "config", c, "token", c.Admin.Token, "url", c.Redis.URL, "keys", c.Keys.EncryptionKey)
			}
			for _, s := range secrets {
				if strings.Contains(out.String(), s) {
					t.Errorf("%q is shown in:\n%s", s, out.String())
				}
			}
		})
	}
}

func TestSecretIsNotReachedByReflection(t *testing.T) {
	// Whoever walks an unexported field with reflection, as fmt does, finds an
	// address and no text.
	var s Secret
	_ = s.Decode("hunter2")
	if k := reflect.ValueOf(s).Field(0).Kind(); k != reflect.Pointer {
		t.Errorf("held in a %v", k)
	}
	if s.Reveal() != "hunter2" || !s.Set() || s.String() != masked {
		t.Errorf("%q %v %q", s.Reveal(), s.Set(), s)
	}
	if empty := (Secret{}); empty.Set() || empty.String() != "" || empty.Reveal() != "" {
		t.Error("an unset secret is something")
	}
}
