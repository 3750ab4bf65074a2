package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestSingleFaults(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing")
	tests := []struct {
		name, value string
		want        string // a part of the fault; "" for none
	}{
		{"LISTEN", "8080", "is not an address"},
		{"LISTEN", ":http", "has no port"},
		{"LISTEN", ":70000", "has no port"},
		{"LISTEN", "http://x:80", "is not an address"},
		{"ADMIN_LISTEN", ":8080", "is the same address as TOLLGATE_LISTEN"},
		{"ADMIN_LISTEN", "", ""},
		{"OPS_LISTEN", "127.0.0.1:8081", "is the same address as TOLLGATE_ADMIN_LISTEN"},
		{"UPSTREAM", "example.com", "does not begin with http"},
		{"UPSTREAM", "https://", "has no host"},
		{"UPSTREAM", "https://h/?x", "has a query"},
		{"UPSTREAM", "http://u:p@h", "has a user name"},
		{"UPSTREAM", "http://h:port", "is not a URL"},
		{"TRUSTED_PROXIES", "10.0.0.0/8,", "empty member"},
		{"TRUSTED_PROXIES", "10.0.0.0/33", "is not a network"},
		{"TRUSTED_PROXIES", "fe80::1%eth0", "is not a network"},
		{"TRUSTED_PROXIES", "10.0.0.1,10.0.0.1", "stands there twice"},
		{"MAX_HEADER_BYTES", "16KB", "is not a size"},
		{"MAX_HEADER_BYTES", "-1", "is not a size"},
		{"MAX_HEADER_BYTES", "1", "has to be at least 1KiB"},
		{"MAX_HEADER_BYTES", "1GiB", "has to be at most 1MiB"},
		{"TLS_CERT_FILE", missing, "no such file"},
		{"TLS_KEY_FILE", dir, "is not a file"},
		{"HSTS", "-1s", "has to be at least 0s"},
		{"HSTS", "1 year", "is not a duration"},
		{"HSTS", "24h", "no TLS (TOLLGATE_TLS_CERT_FILE)"},
		{"HSTS", "0", ""},
		{"CORS_ORIGINS", "*", "is not an origin"},
		{"CORS_ORIGINS", "null", "is not an origin"},
		{"CORS_ORIGINS", "https://*.example.com", "is not an origin"},
		{"CORS_ORIGINS", "app.example.com", "is not an origin"},
		{"CORS_ORIGINS", "//app.example.com", "is not an origin"},
		{"CORS_ORIGINS", "ftp://app.example.com", "is not an origin"},
		{"CORS_ORIGINS", "https://app.example.com/", "is not an origin"},
		{"CORS_ORIGINS", "https://app.example.com/path", "is not an origin"},
		{"CORS_ORIGINS", "https://app.example.com?x", "is not an origin"},
		{"CORS_ORIGINS", "https://u:p@app.example.com", "is not an origin"},
		{"CORS_ORIGINS", "https://App.example.com", "is not an origin"},
		{"CORS_ORIGINS", "https://app.example.com:443", "the port that its scheme has anyway"},
		{"CORS_ORIGINS", "http://app.example.com:80", "the port that its scheme has anyway"},
		{"CORS_ORIGINS", "https://a.example,https://a.example", "stands there twice"},
		{"CORS_ORIGINS", "https://a.example,", "empty member"},
		{"CORS_ORIGINS", "http://localhost:5173, https://a.example:8443,https://[::1]", ""},
		{"COOKIE_NAME", "a b", "is not the name of a cookie"},
		{"COOKIE_NAME", "a=b", "is not the name of a cookie"},
		{"COOKIE_NAME", "a;b", "is not the name of a cookie"},
		{"COOKIE_NAME", "\"a\"", "is not the name of a cookie"},
		{"COOKIE_NAME", "zugriff\u00e4", "is not the name of a cookie"},
		{"COOKIE_NAME", "__Host-access", ""},
		{"IMPERSONATION_COOKIE_NAME", "a,b", "is not the name of a cookie"},
		{"COMPAT", "drf", "is none of: simplejwt, drf-jwt"},
		{"COMPAT", "simplejwt,simplejwt", "stands there twice"},
		{"COMPAT", "simplejwt,", "empty member"},
		{"COMPAT", "DRF-JWT, simplejwt", ""},
		{"DRF_TOKEN_ID", "on", "is none of: require include off"},
		{"IMPERSONATE_CLAIM", "can_impersonate", "is not claim=value"},
		{"IMPERSONATE_CLAIM", "can_impersonate=", "is not claim=value"},
		{"IMPERSONATE_CLAIM", "can-impersonate=true", "is not the name of a claim"},
		{"IMPERSONATE_CLAIM", " can_impersonate = true ", ""},
		{"CLAIMS", "act_sid=email", "names the reserved claim act_sid"},
		{"JWKS_REFRESH", "0s", "has to be at least 1s"},
		{"JWKS_REFRESH", "25h", "has to be at most 24h"},
		{"JWKS_REFRESH", "9s", "is shorter than TOLLGATE_JWKS_MIN_REFETCH, 10s"},
		{"JWKS_MIN_REFETCH", "0", "has to be at least 1s"},
		{"JWKS_MIN_REFETCH", "5m", ""},
		{"IDLE_TIMEOUT", "0s", "has to be more than 0"},
		{"IDLE_TIMEOUT", "-5s", "has to be more than 0"},
		{"IDLE_TIMEOUT", "5 minutes", "is not a duration"},
		{"SHUTDOWN_DELAY", "-1s", "has to be at least 0s"},
		{"LEEWAY", "6m", "has to be at most 5m"},
		{"LEEWAY", "5m", ""},
		{"LEEWAY", "-1s", "has to be at least 0s"},
		{"ENABLE_GATEWAY", "yes", "is neither true nor false"},
		{"ROUTES_FILE", missing, "no such file"},
		{"ROUTES_FILE", dir, "is not a file"},
		{"REDIS_CA_FILE", missing, "no such file"},
		{"REDIS_PREFIX", "a{b}:", "has { or } in it"},
		{"REDIS_PREFIX", "a b", "has a blank"},
		{"REDIS_PREFIX", strings.Repeat("x", 65), "longer than 64"},
		{"REDIS_USERNAME", "a\x01b", "control character"},
		{"REDIS_URL", "http://h", "unknown scheme"},
		{"REDIS_OP_TIMEOUT", "11s", "has to be at most 10s"},
		{"ISSUER", "https://h?x=1", "has a query"},
		{"ISSUER", "a b", "has a blank"},
		{"ISSUER", "1:2", "is no URI"},
		{"ISSUER", strings.Repeat("x", 256), "longer than 255"},
		{"ISSUER_HOSTS", "https://h", "is not a host name"},
		{"ISSUER_HOSTS", "h:80", "is not a host name"},
		{"AUDIENCE", "a,,b", "empty member"},
		{"AUDIENCE", "a,a", "stands there twice"},
		{"TOKEN_TYP", "at+jwt+x", "is none of: JWT at+jwt"},
		{"MAX_TOKEN_BYTES", "100", "has to be at least 512"},
		{"USER_ID_TYPE", "int", "is none of: text number"},
		{"USER_ID_FIELD", "a=b", "is not the name of an attribute"},
		{"USER_ID_CLAIM", "JTI", "names the reserved claim jti"},
		{"USER_ID_CLAIM", "user-id", "names a claim that is not"},
		{"USER_ID_CLAIM", "SUB", "names the reserved claim sub"},
		{"CLAIMS", "email", "is not claim=attribute"},
		{"CLAIMS", "a=", "names no attribute"},
		{"CLAIMS", "Exp=email", "names the reserved claim exp"},
		{"CLAIMS", "refresh_EXP=email", "names the reserved claim refresh_exp"},
		{"CLAIMS", "User_Id=email", "is TOLLGATE_USER_ID_CLAIM"},
		{"CLAIMS", "a\"b=email", "names a claim that is not"},
		{"CLAIMS", "1a=email", "names a claim that is not"},
		{"CLAIMS", strings.Repeat("x", 65) + "=email", "names a claim that is not"},
		{"CLAIMS", "mail=email,MAIL=username", "stands there already"},
		{"AUTH_HEADER_TYPES", "Bearer,bearer", "stands there twice"},
		{"AUTH_HEADER_TYPES", "Be arer", "is not the name of a scheme"},
		{"SIGNING_ALG", "HS256", "is symmetric"},
		{"SIGNING_ALG", "HS512", "is symmetric"},
		{"SIGNING_ALG", "none", "is none of"},
		{"SIGNING_ALG", "es256", "is none of"},
		{"SIGNING_ALG", "ES256,ES256", "stands there twice"},
		{"KEY_STORE", "vault", "is neither redis nor file:DIR"},
		{"KEY_STORE", "file:", "is neither redis nor file:DIR"},
		{"KEY_ENCRYPTION_KEY", "!!", "is not base64"},
		{"KEY_ENCRYPTION_KEY", "AAAA", "is not 32 bytes long"},
		{"KEY_ENCRYPTION_KEY", strings.Repeat("A", 43) + "," + strings.Repeat("A", 43) + "=", "the same key twice"},
		{"KEY_ENCRYPTION_KEY", strings.Repeat("A", 43) + ",", "empty member"},
		{"KEY_ROTATE_EVERY", "10m", "is shorter than TOLLGATE_KEY_PREPUBLISH"},
		{"KEY_ROTATE_EVERY", "0", ""},
		{"ACCESS_TTL", "721h", "is longer than TOLLGATE_SESSION_MAX_TTL"},
		{"REVOCATION_ON_UNAVAILABLE", "ask", "is none of: deny allow"},
		{"REVOCATION_MODE", "guess", "is none of: mirror lookup"},
		{"REVOCATION_JOURNAL", "/", "is not a file"},
		{"REVOCATION_JOURNAL", "/none/journal", "is in a directory that is not there"},
		{"REVOCATION_JOURNAL", "a\nb", "has a control character"},
		{"REDIS_MIN_REPLICAS_ACK", "-1", "has to be at least 0"},
		{"REDIS_MIN_REPLICAS_ACK", "17", "has to be at most 16"},
		{"REDIS_MIN_REPLICAS_ACK", "2", ""},
		{"USERS", "ldap://x", "is none of redis"},
		{"USERS", "file:", "names no file"},
		{"USERS", "file:/does/not/exist", "no such file"},
		{"USERS", "file:/", "is a directory"},
		{"USERS", "https://", "has no host"},
		{"USERS", "https://h/?q=1", "has a query"},
		{"USERS", "https://u:p@h/", "has a user name or password"},
		{"USERS_SECRET", "shared", "TOLLGATE_USERS is not a URL"},
		{"LOGIN_FIELD", "phone", "is none of: username email"},
		{"UPDATE_LAST_LOGIN", "sometimes", "is neither true nor false"},
		{"LOGIN_CONCURRENCY", "-1", "has to be at least 0"},
		{"LOGIN_CONCURRENCY", "many", "is not a whole number"},
		{"API_PREFIX", "api", "does not begin with /"},
		{"API_PREFIX", "/api/", "ends with /"},
		{"API_PREFIX", "/", "ends with /"},
		{"API_PREFIX", "/a//b", "empty or dot segment"},
		{"API_PREFIX", "/a/../b", "empty or dot segment"},
		{"API_PREFIX", "/a b", "other characters"},
		{"ADMIN_TOKEN", "0123456789abcde", "less than 16 characters"},
		{"ADMIN_TOKEN", "0123456789 abcdef", "has a blank"},
		{"LOG_LEVEL", "loud", "is none of: debug info warn error"},
		{"LOG_FORMAT", "xml", "is none of: auto json text"},
	}
	for _, tt := range tests {
		t.Run(tt.name+"="+tt.value[:min(len(tt.value), 20)], func(t *testing.T) {
			env := with(map[string]string{"TOLLGATE_" + tt.name: tt.value})
			if tt.name == "ROUTES_FILE" {
				delete(env, "TOLLGATE_UPSTREAM")
			}
			got := faultsOf(t, env)
			if tt.want == "" {
				if len(got) > 0 {
					t.Errorf("faults: %q", got)
				}
				return
			}
			if len(got) != 1 || !strings.HasPrefix(got[0], "TOLLGATE_"+tt.name+" ") || !strings.Contains(got[0], tt.want) {
				t.Errorf("faults %q, want one with %q", got, tt.want)
			}
		})
	}
}

func TestRulesBetweenSettings(t *testing.T) {
	file := mustWrite(t, "version: 1\n")
	tests := []struct {
		name string
		env  map[string]string
		want []string // the variables at fault
	}{
		{"working", working(), nil},
		{"nothing set", map[string]string{}, []string{
			"TOLLGATE_ISSUER", "TOLLGATE_UPSTREAM", "TOLLGATE_ADMIN_TOKEN", "TOLLGATE_KEY_ENCRYPTION_KEY",
		}},
		{"no roles", with(map[string]string{
			"TOLLGATE_ENABLE_GATEWAY": "false", "TOLLGATE_ENABLE_ISSUER": "false", "TOLLGATE_ENABLE_ADMIN": "false",
		}), []string{"TOLLGATE_ENABLE_GATEWAY"}},
		{"upstream and routes", with(map[string]string{"TOLLGATE_ROUTES_FILE": file}), []string{"TOLLGATE_UPSTREAM"}},
		{"routes", with(map[string]string{"TOLLGATE_ROUTES_FILE": file, "TOLLGATE_UPSTREAM": "-"}), nil},
		{"no gateway needs no upstream", with(map[string]string{"TOLLGATE_ENABLE_GATEWAY": "false", "TOLLGATE_UPSTREAM": "-"}), nil},
		{"an edge that trusts nobody", map[string]string{
			"TOLLGATE_ENABLE_ISSUER": "false", "TOLLGATE_ENABLE_ADMIN": "false", "TOLLGATE_UPSTREAM": "http://h",
		}, []string{"TOLLGATE_TRUSTED_ISSUERS_FILE"}},
		{"an edge", map[string]string{
			"TOLLGATE_ENABLE_ISSUER": "false", "TOLLGATE_ENABLE_ADMIN": "false", "TOLLGATE_UPSTREAM": "http://h",
			"TOLLGATE_TRUSTED_ISSUERS_FILE": file,
		}, nil},
		{"admin listener off needs no token", with(map[string]string{"TOLLGATE_ADMIN_LISTEN": "", "TOLLGATE_ADMIN_TOKEN": "-"}), nil},
		{"admin role off needs no token", with(map[string]string{"TOLLGATE_ENABLE_ADMIN": "false", "TOLLGATE_ADMIN_TOKEN": "-"}), nil},
		{"keys in files need no seal", with(map[string]string{"TOLLGATE_ALLOW_UNSEALED_KEYS": "-", "TOLLGATE_KEY_STORE": "file:/x"}), nil},
		{"embedded needs no seal", with(map[string]string{"TOLLGATE_ALLOW_UNSEALED_KEYS": "-", "TOLLGATE_REDIS_URL": "embedded:"}), nil},
		{"unsealed", with(map[string]string{"TOLLGATE_ALLOW_UNSEALED_KEYS": "-"}), []string{"TOLLGATE_KEY_ENCRYPTION_KEY"}},
		{"sub as user id", with(map[string]string{"TOLLGATE_USER_ID_CLAIM": "sub", "TOLLGATE_USER_ID_FIELD": "username"}), []string{"TOLLGATE_USER_ID_CLAIM"}},
		{"replicas of the embedded Redis", with(map[string]string{"TOLLGATE_REDIS_MIN_REPLICAS_ACK": "1", "TOLLGATE_REDIS_URL": "embedded:"}), []string{"TOLLGATE_REDIS_MIN_REPLICAS_ACK"}},
		{"CA without TLS", with(map[string]string{"TOLLGATE_REDIS_CA_FILE": file}), []string{"TOLLGATE_REDIS_CA_FILE"}},
		{"CA that is none", with(map[string]string{"TOLLGATE_REDIS_CA_FILE": file, "TOLLGATE_REDIS_URL": "rediss://h"}), []string{"TOLLGATE_REDIS_CA_FILE"}},
		{"one cookie for both", with(map[string]string{"TOLLGATE_COOKIE_NAME": "access", "TOLLGATE_IMPERSONATION_COOKIE_NAME": "Access"}), []string{"TOLLGATE_IMPERSONATION_COOKIE_NAME"}},
		{"one path of two profiles", with(map[string]string{"TOLLGATE_COMPAT": "simplejwt,drf-jwt", "TOLLGATE_API_PREFIX": "/auth/"}), []string{"TOLLGATE_API_PREFIX"}},
		{"that path of one profile", with(map[string]string{"TOLLGATE_COMPAT": "simplejwt", "TOLLGATE_API_PREFIX": "/auth"}), nil},
		{"two cookies", with(map[string]string{"TOLLGATE_COOKIE_NAME": "access", "TOLLGATE_IMPERSONATION_COOKIE_NAME": "as"}), nil},
		{"keys refreshed less often than they may be", with(map[string]string{"TOLLGATE_JWKS_MIN_REFETCH": "6m"}), []string{"TOLLGATE_JWKS_REFRESH"}},
		{"certificate without key", with(map[string]string{"TOLLGATE_TLS_CERT_FILE": file}), []string{"TOLLGATE_TLS_KEY_FILE"}},
		{"key without certificate", with(map[string]string{"TOLLGATE_TLS_KEY_FILE": file}), []string{"TOLLGATE_TLS_CERT_FILE"}},
		{"certificate that is none", with(map[string]string{"TOLLGATE_TLS_CERT_FILE": file, "TOLLGATE_TLS_KEY_FILE": file}), []string{"TOLLGATE_TLS_CERT_FILE"}},
		{"two random ports", with(map[string]string{"TOLLGATE_LISTEN": "127.0.0.1:0", "TOLLGATE_ADMIN_LISTEN": "127.0.0.1:0"}), nil},
		{"a fault is not repeated by a rule", with(map[string]string{"TOLLGATE_ISSUER": "a b", "TOLLGATE_UPSTREAM": "x", "TOLLGATE_REDIS_URL": "x"}),
			[]string{"TOLLGATE_UPSTREAM", "TOLLGATE_REDIS_URL", "TOLLGATE_ISSUER"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, f := range faultsOf(t, tt.env) {
				got = append(got, strings.Fields(f)[0])
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("at fault %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAllFaultsAtOnce(t *testing.T) {
	setEnv(t, map[string]string{
		"TOLLGATE_LISTEN": "x", "TOLLGATE_LEEWAY": "1h", "TOLLGATE_SIGNING_ALG": "HS256", "TOLLGATE_ADMIN_TOKEN": "short",
	})
	_, err := loadConfig(nil)
	want := `the configuration has 7 faults:
  TOLLGATE_LISTEN "x" is not an address such as :8080 or 127.0.0.1:8080
  TOLLGATE_LEEWAY has to be at most 5m
  TOLLGATE_SIGNING_ALG "HS256" is symmetric: whoever can check a token could make one
  TOLLGATE_ISSUER is required with the issuer role: the URL that tokens name as their issuer
  TOLLGATE_UPSTREAM or TOLLGATE_ROUTES_FILE is required with the gateway role
  TOLLGATE_ADMIN_TOKEN has less than 16 characters
  TOLLGATE_KEY_ENCRYPTION_KEY is required while the private keys are kept in Redis (or set TOLLGATE_KEY_STORE=file:DIR, or TOLLGATE_ALLOW_UNSEALED_KEYS=true)`
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
	if one := (&configError{[]configFault{{"X", "is y"}}}).Error(); one != "the configuration has a fault:\n  X is y" {
		t.Errorf("one: %q", one)
	}
}

func TestWarnings(t *testing.T) {
	tests := []struct {
		name string
		env  map[string]string
		want []string // how the warnings begin
	}{
		{"a slip of the finger", map[string]string{"TOLLGATE_LISTN": ":1"}, []string{"TOLLGATE_LISTN is unknown to this version and has no effect; did you mean TOLLGATE_LISTEN?"}},
		{"of a later version", map[string]string{"TOLLGATE_SOMETHING_LATER": "x"}, []string{
			"TOLLGATE_SOMETHING_LATER is unknown",
		}},
		{"tokens without jti", map[string]string{"TOLLGATE_COMPAT": "drf-jwt", "TOLLGATE_DRF_TOKEN_ID": "off"}, []string{"TOLLGATE_DRF_TOKEN_ID is not require"}},
		{"no twin for what is no secret", map[string]string{"TOLLGATE_ISSUER_FILE": "x"}, []string{"TOLLGATE_ISSUER_FILE is unknown"}},
		{"Kubernetes", map[string]string{
			"TOLLGATE_PORT": "tcp://10.0.0.1:80", "TOLLGATE_SERVICE_HOST": "10.0.0.1", "TOLLGATE_SERVICE_PORT": "80",
			"TOLLGATE_SERVICE_PORT_HTTP": "80", "TOLLGATE_PORT_80_TCP": "x", "TOLLGATE_PORT_80_TCP_ADDR": "x",
			"TOLLGATE_ADMIN_PORT_8081_TCP_PROTO": "tcp", "TOLLGATE_OPS_SERVICE_HOST": "x",
		}, nil},
		{"another prefix", map[string]string{"TOLLGATED": "x"}, nil},
		{"admin in the open", map[string]string{"TOLLGATE_ADMIN_LISTEN": ":8081"}, []string{"TOLLGATE_ADMIN_LISTEN is not on loopback"}},
		{"admin on localhost", map[string]string{"TOLLGATE_ADMIN_LISTEN": "localhost:8081"}, nil},
		{"everybody a proxy", map[string]string{"TOLLGATE_TRUSTED_PROXIES": "0.0.0.0/0"}, []string{"TOLLGATE_TRUSTED_PROXIES trusts every address"}},
		{"issuer without discovery", map[string]string{"TOLLGATE_ISSUER": "shop"}, []string{"TOLLGATE_ISSUER is no http(s) URL"}},
		{"no room for our own tokens", map[string]string{"TOLLGATE_MAX_TOKEN_BYTES": "1KiB"}, []string{"TOLLGATE_MAX_TOKEN_BYTES is less than 2048"}},
		{"tokens that cannot arrive", map[string]string{"TOLLGATE_MAX_TOKEN_BYTES": "32KiB"}, []string{"TOLLGATE_MAX_TOKEN_BYTES is more than"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := mustLoad(t, with(tt.env)).Warnings
			if len(got) != len(tt.want) {
				t.Fatalf("warnings %q, want %q", got, tt.want)
			}
			for i := range got {
				if !strings.HasPrefix(got[i], tt.want[i]) {
					t.Errorf("warning %q, want %q", got[i], tt.want[i])
				}
			}
		})
	}
}

func TestSecretFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	tests := []struct {
		name, file string
		token      string
		want       string // a part of the fault
	}{
		{"plain", write("plain", testAdminToken), testAdminToken, ""},
		{"newline", write("newline", testAdminToken+"\n"), testAdminToken, ""},
		{"Windows newline", write("crlf", testAdminToken+"\r\n"), testAdminToken, ""},
		{"one newline only", write("two", testAdminToken+"\n\n"), "", "control character"},
		{"empty", write("empty", "\n"), "", "is empty in the file that TOLLGATE_ADMIN_TOKEN_FILE names"},
		{"missing", filepath.Join(dir, "missing"), "", "no such file or directory"},
		{"directory", dir, "", "it is a directory"},
		{"huge", write("huge", strings.Repeat("x", maxSecretBytes+1)), "", "longer than 64 KiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			setEnv(t, with(map[string]string{"TOLLGATE_ADMIN_TOKEN": "-", "TOLLGATE_ADMIN_TOKEN_FILE": tt.file}))
			c, err := loadConfig(nil)
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), dir) {
					t.Errorf("err: %v", err)
				}
				return
			}
			if err != nil || c.Admin.Token.Reveal() != tt.token {
				t.Errorf("%q, %v", c.Admin.Token.Reveal(), err)
			}
		})
	}
}

func TestSecretTwice(t *testing.T) {
	got := faultsOf(t, with(map[string]string{
		"TOLLGATE_ADMIN_TOKEN_FILE": mustWrite(t, testAdminToken),
		"TOLLGATE_REDIS_URL":        "redis://h", "TOLLGATE_REDIS_URL_FILE": mustWrite(t, "redis://h"),
	}))
	want := []string{
		"TOLLGATE_REDIS_URL and TOLLGATE_REDIS_URL_FILE are both set: set one of them",
		"TOLLGATE_ADMIN_TOKEN and TOLLGATE_ADMIN_TOKEN_FILE are both set: set one of them",
	}
	if !slices.Equal(got, want) {
		t.Errorf("faults %q", got)
	}
	c := mustLoad(t, with(map[string]string{"TOLLGATE_REDIS_URL_FILE": mustWrite(t, "redis://other:1/2\n")}))
	if c.Redis.URL.target.addrs[0] != "other:1" || c.Redis.URL.target.db != 2 {
		t.Errorf("from the file: %+v", c.Redis.URL.target)
	}
}

func TestEnvTable(t *testing.T) {
	var b strings.Builder
	if err := writeEnvTable(&b); err != nil {
		t.Fatal(err)
	}
	table := b.String()
	for _, v := range variablesOf(&Config{}) {
		if strings.Count(table, "`"+v.name+"`") != 1 {
			t.Errorf("%s is not in the table once", v.name)
		}
	}
	for _, row := range []string{
		"| Listeners | `TOLLGATE_LISTEN` | `:8080` | address of the public listener |\n",
		"| Admin | `TOLLGATE_ADMIN_TOKEN` (S) |  | bearer token of the admin API",
		"|  | `TOLLGATE_LOG_FORMAT` | `auto` | auto: text on a terminal, else JSON |\n",
		"| Observe | `TOLLGATE_LOG_LEVEL` | `info` | least level that is logged: debug, info, warn, error |\n",
	} {
		if !strings.Contains(table, row) {
			t.Errorf("no %q in:\n%s", row, table)
		}
	}
}
