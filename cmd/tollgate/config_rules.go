package main

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"
)

// minAdminToken is the least length of an admin token: the admin API may be
// guessed at without limit by whoever reaches it.
const minAdminToken = 16

// tokenRoom is how long tokens of ours may become whose claims are few: the largest
// signature and header, and 800 bytes of claims.
const tokenRoom = 2048

// rules collects the faults between settings. A rule about a variable that has a
// fault of its own already is left out: it would only repeat it.
type rules struct {
	c      *Config
	faulty map[string]bool
	faults []configFault
}

// relate checks what no setting can check alone, and corrects what is only worth a
// warning.
func (c *Config) relate(known []configFault) []configFault {
	r := &rules{c: c, faulty: map[string]bool{}}
	for _, f := range known {
		r.faulty[f.Name] = true
	}
	r.roles()
	r.listeners()
	r.tls()
	r.cookies()
	r.admin()
	r.times()
	r.claims()
	r.compat()
	r.keys()
	r.redis()
	r.users()
	return r.faults
}

func (r *rules) fault(name, problem string) {
	if !r.faulty[name] {
		r.faulty[name] = true
		r.faults = append(r.faults, configFault{name, problem})
	}
}

func (r *rules) warn(name, text string) { r.c.Warnings = append(r.c.Warnings, name+" "+text) }

func (r *rules) roles() {
	c := r.c
	gateway, issuer := c.Roles.Gateway.Value, c.Roles.Issuer.Value
	if !gateway && !issuer && !c.Roles.Admin.Value {
		r.fault("TOLLGATE_ENABLE_GATEWAY", "TOLLGATE_ENABLE_ISSUER and TOLLGATE_ENABLE_ADMIN are all false: there is nothing to do")
	}
	if issuer && c.Tokens.Issuer.Value == "" {
		r.fault("TOLLGATE_ISSUER", "is required with the issuer role: the URL that tokens name as their issuer")
	}
	if c.Tokens.Issuer.Value != "" && issuer && !c.Tokens.Issuer.web() {
		r.warn("TOLLGATE_ISSUER", "is no http(s) URL: clients cannot discover the keys from it")
	}
	if !gateway {
		return
	}
	one, file := c.Routes.Upstream.Value != nil, c.Routes.RoutesFile.Value != ""
	switch {
	case one && file:
		r.fault("TOLLGATE_UPSTREAM", "and TOLLGATE_ROUTES_FILE are both set: set one of them")
	case !one && !file && !r.faulty["TOLLGATE_ROUTES_FILE"]:
		r.fault("TOLLGATE_UPSTREAM", "or TOLLGATE_ROUTES_FILE is required with the gateway role")
	}
	if !issuer && c.Keys.TrustedIssuersFile.Value == "" {
		r.fault("TOLLGATE_TRUSTED_ISSUERS_FILE",
			"is required with the gateway role without the issuer role: a gateway that trusts nobody is a fault")
	}
}

func (r *rules) listeners() {
	l := &r.c.Listeners
	seen := map[string]string{}
	for _, a := range []struct {
		name    string
		address *Address
	}{
		{"TOLLGATE_LISTEN", &l.Listen},
		{"TOLLGATE_ADMIN_LISTEN", &l.AdminListen},
		{"TOLLGATE_OPS_LISTEN", &l.OpsListen},
	} {
		text := a.address.Value
		if text == "" {
			continue
		}
		if first, taken := seen[text]; taken && !strings.HasSuffix(text, ":0") {
			r.fault(a.name, "is the same address as "+first)
		}
		seen[text] = a.name
	}
	if r.c.adminOn() && l.AdminListen.Value != "" && !l.AdminListen.loopback() {
		r.warn("TOLLGATE_ADMIN_LISTEN", "is not on loopback: the admin token crosses the network unencrypted")
	}
	for _, n := range l.TrustedProxies.Value {
		if n.Bits() == 0 {
			r.warn("TOLLGATE_TRUSTED_PROXIES", "trusts every address: any client can forge X-Forwarded-* headers")
		}
	}
}

func (r *rules) admin() {
	if !r.c.adminOn() {
		return
	}
	if r.c.Tokens.Issuer.Value == "" {
		r.fault("TOLLGATE_ISSUER", "is required with the admin role: whose tokens are revoked")
	}
	token := r.c.Admin.Token.Reveal()
	switch {
	case token == "":
		r.fault("TOLLGATE_ADMIN_TOKEN", "is required with the admin role (or set TOLLGATE_ENABLE_ADMIN=false)")
	case len([]rune(token)) < minAdminToken:
		r.fault("TOLLGATE_ADMIN_TOKEN", "has less than 16 characters")
	case hasBlankOrControl(token):
		r.fault("TOLLGATE_ADMIN_TOKEN", "has a blank or a control character in it, which no Authorization header can carry")
	}
}

func (r *rules) times() {
	t, k := &r.c.Tokens, &r.c.Keys
	if r.faulty["TOLLGATE_SESSION_MAX_TTL"] {
		return
	}
	if limit := t.SessionMaxTTL.Value; t.RefreshTTL.Value > limit {
		if !r.faulty["TOLLGATE_REFRESH_TTL"] {
			r.warn("TOLLGATE_REFRESH_TTL", "is cut to TOLLGATE_SESSION_MAX_TTL, "+limit.String())
		}
		t.RefreshTTL.Value = limit
	}
	// Silently: whoever shortens sessions need not know of sliding tokens.
	t.SlidingTTL.Value, t.SlidingRefresh.Value = min(t.SlidingTTL.Value, t.SessionMaxTTL.Value), min(t.SlidingRefresh.Value, t.SessionMaxTTL.Value)
	for name, ttl := range map[string]time.Duration{
		"TOLLGATE_ACCESS_TTL": t.AccessTTL.Value, "TOLLGATE_REFRESH_TTL": t.RefreshTTL.Value, "TOLLGATE_SESSION_MAX_TTL": t.SessionMaxTTL.Value,
		"TOLLGATE_SLIDING_TTL": t.SlidingTTL.Value, "TOLLGATE_SLIDING_REFRESH_TTL": t.SlidingRefresh.Value,
	} {
		if ttl%time.Second != 0 {
			r.fault(name, "is not a number of whole seconds: tokens know no parts of one")
		}
	}
	if t.AccessTTL.Value > t.SessionMaxTTL.Value {
		r.fault("TOLLGATE_ACCESS_TTL", "is longer than TOLLGATE_SESSION_MAX_TTL")
	}
	if k.RotateEvery.Value > 0 && k.RotateEvery.Value < k.Prepublish.Value && !r.faulty["TOLLGATE_KEY_PREPUBLISH"] {
		r.fault("TOLLGATE_KEY_ROTATE_EVERY", "is shorter than TOLLGATE_KEY_PREPUBLISH: a key would have to sign before verifiers know it")
	}
	if t.MaxTokenBytes.Value < tokenRoom && r.c.Roles.Issuer.Value {
		r.warn("TOLLGATE_MAX_TOKEN_BYTES", fmt.Sprintf("is less than %d: our own tokens may be longer, and log-ins then fail", tokenRoom))
	}
	if t.MaxTokenBytes.Value > r.c.Listeners.MaxHeaderBytes.Value && !r.faulty["TOLLGATE_MAX_HEADER_BYTES"] {
		r.warn("TOLLGATE_MAX_TOKEN_BYTES", "is more than TOLLGATE_MAX_HEADER_BYTES: such a token cannot arrive")
	}
}

func (r *rules) claims() {
	t := &r.c.Tokens
	r.statusList()
	for _, claim := range t.Claims.Value {
		if strings.EqualFold(claim.Name, t.UserIDClaim.Value) {
			r.fault("TOLLGATE_CLAIMS", shown(claim.Name)+" is TOLLGATE_USER_ID_CLAIM, case aside")
		}
	}
	if t.UserIDClaim.Value == "sub" && (t.UserIDField.Value != "id" || t.UserIDType.Value != "text") {
		r.fault("TOLLGATE_USER_ID_CLAIM", "can be sub only with the user's id as text: revocations go by it")
	}
}

func (r *rules) keys() {
	c := r.c
	r.keySet()
	if c.Keys.JWKSRefresh.Value < c.Keys.JWKSMinRefetch.Value && !r.faulty["TOLLGATE_JWKS_MIN_REFETCH"] {
		r.fault("TOLLGATE_JWKS_REFRESH", "is shorter than TOLLGATE_JWKS_MIN_REFETCH, "+c.Keys.JWKSMinRefetch.Value.String())
	}
	signerIsFaulty := slices.ContainsFunc(slices.Collect(maps.Keys(r.faulty)), func(name string) bool { return strings.HasPrefix(name, "TOLLGATE_KEY_SIGNER_") })
	if _, fault := c.externalSigner(); fault != nil && !signerIsFaulty {
		r.fault(fault.Name, fault.Problem)
	}
	sealed := c.Keys.EncryptionKey.Set() || c.Keys.AllowUnsealed.Value
	if c.Roles.Issuer.Value && c.Keys.Store.Value == "" && !sealed && !c.Redis.URL.Embedded() && !r.faulty["TOLLGATE_KEY_STORE"] {
		r.fault("TOLLGATE_KEY_ENCRYPTION_KEY",
			"is required while the private keys are kept in Redis (or set TOLLGATE_KEY_STORE=file:DIR, or TOLLGATE_ALLOW_UNSEALED_KEYS=true)")
	}
}

func (r *rules) redis() {
	c := &r.c.Redis
	if !r.faulty["TOLLGATE_REDIS_URL"] && c.URL.Embedded() && c.MinReplicas.Value > 0 {
		r.fault("TOLLGATE_REDIS_MIN_REPLICAS_ACK", "is set but the embedded Redis has no replicas")
	}
	if r.faulty["TOLLGATE_REDIS_URL"] || r.faulty["TOLLGATE_REDIS_CA_FILE"] {
		return
	}
	if c.CAFile.Value != "" && !c.URL.target.tls {
		r.fault("TOLLGATE_REDIS_CA_FILE", "is set but TOLLGATE_REDIS_URL does not ask for TLS (rediss://)")
		return
	}
	if _, err := c.tlsConfig(); err != nil {
		r.fault("TOLLGATE_REDIS_CA_FILE", err.Error())
	}
}

// adminOn reports whether the admin API is served.
func (c *Config) adminOn() bool {
	return c.Roles.Admin.Value && c.Listeners.AdminListen.Value != ""
}

// loginSlots is how many passwords may be hashed at once.
func (c *Config) loginSlots() int {
	if n := c.Login.Concurrency.Value; n > 0 {
		return n
	}
	return runtime.GOMAXPROCS(0)
}

// accessLife is the longest life of a token that an edge takes.
func (c *Config) accessLife() time.Duration {
	return max(c.Tokens.AccessTTL.Value, c.Tokens.SlidingTTL.Value)
}

// jwksMaxAge is the max-age that keys are served with: a verifier must have asked
// again before a pending key signs.
func (c *Config) jwksMaxAge() time.Duration {
	return min(c.Keys.JWKSMaxAge.Value, c.Keys.Prepublish.Value)
}
