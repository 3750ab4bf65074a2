package token

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"tollgate/revocation"
)

// Checker answers whether a token is revoked. It reports and does not decide:
// what becomes of an answer that is old or missing is the policy's.
type Checker interface {
	Check(ctx context.Context, t *revocation.Token) revocation.Verdict
}

// CatcherUp is a Checker that answers from a copy, and can bring it up to date. What
// it then knows must be from after CatchUp was called. It bounds the time itself.
type CatcherUp interface {
	CatchUp(ctx context.Context) error
}

// Config of a Verifier.
type Config struct {
	// Issuers whose tokens are believed.
	Issuers []Issuer
	// Leeway by which clocks may differ, for exp, nbf and iat. Default 0.
	Leeway time.Duration
	// MaxBytes of a token. Default 8192.
	MaxBytes int
	// MemoryBytes bounds what is remembered of tokens whose signature was good, so
	// that it is checked once. Default 0: nothing is remembered.
	MemoryBytes int64
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// Verifier holds whom to believe. It is safe for concurrent use; the set of
// issuers is an immutable snapshot that Trust replaces.
type Verifier struct {
	leeway   time.Duration
	maxBytes int
	now      func() time.Time
	issuers  atomic.Pointer[map[string]*Issuer]
	memory   *memory
	hits     atomic.Uint64
	misses   atomic.Uint64
}

// New returns a Verifier, or an error that lists every fault of the issuers.
func New(c Config) (*Verifier, error) {
	if c.Leeway < 0 || c.MaxBytes < 0 || c.MemoryBytes < 0 {
		return nil, errors.New("a verifier's leeway, token size and memory are not negative")
	}
	v := &Verifier{leeway: c.Leeway, maxBytes: c.MaxBytes, now: c.Now}
	if v.maxBytes == 0 {
		v.maxBytes = 8192
	}
	if v.now == nil {
		v.now = time.Now
	}
	if err := v.Trust(c.Issuers); err != nil {
		return nil, err
	}
	var err error
	if v.memory, err = newMemory(c.MemoryBytes); err != nil {
		return nil, err
	}
	return v, nil
}

// Trust replaces the issuers. Requests that are being checked keep the old ones.
func (v *Verifier) Trust(issuers []Issuer) error {
	next := make(map[string]*Issuer, len(issuers))
	var faults []error
	for i := range issuers {
		issuer := issuers[i]
		if err := issuer.Validate(); err != nil {
			faults = append(faults, err)
		}
		if _, twice := next[issuer.Name]; twice {
			faults = append(faults, errors.New("issuer "+issuer.Name+" is named twice"))
		}
		switch {
		case issuer.NoLeeway:
			issuer.Leeway = 0
		case issuer.Leeway == 0 || issuer.Leeway > v.leeway:
			issuer.Leeway = v.leeway
		}
		next[issuer.Name] = &issuer
		if issuer.Legacy.NoIssuer {
			if _, twice := next[""]; twice {
				faults = append(faults, errors.New("more than one issuer is excused from iss"))
			}
			next[""] = &issuer
		}
	}
	if len(faults) > 0 {
		return errors.Join(faults...)
	}
	v.issuers.Store(&next)
	return nil
}

// Names lists the issuers that are believed, in order.
func (v *Verifier) Names() []string {
	var out []string
	for _, i := range *v.issuers.Load() {
		out = append(out, i.Name)
	}
	slices.Sort(out)
	return slices.Compact(out) // one may stand for tokens without iss, too
}

// Authenticate returns who a token speaks for, or a *Refusal: an identity is
// returned on full success only. Policy and revocations are required.
func (v *Verifier) Authenticate(ctx context.Context, raw string, policy *Policy, revocations Checker) (*Identity, error) {
	if raw == "" {
		return nil, refuse(ReasonMissing, "no token")
	}
	id, refusal := v.recognise(ctx, raw, nil)
	if refusal == nil {
		refusal = v.judge(ctx, id, policy, revocations, nil)
	}
	if refusal != nil {
		refusal.Token = id
		return nil, refusal
	}
	return id, nil
}

// recognise returns who signed what: from memory, as long as all still holds that
// was found when the signature was checked, else by checking it.
func (v *Verifier) recognise(ctx context.Context, raw string, t *trace) (*Identity, *Refusal) {
	if v.memory == nil || len(raw) > v.maxBytes {
		return v.verify(ctx, raw, digest{}, t)
	}
	d := digestOf(raw)
	if id := v.memory.find(d); id != nil {
		current, refusal := v.still(id)
		if refusal == nil {
			if current != id {
				v.memory.replace(d, current)
			}
			v.hits.Add(1)
			t.found()
			return current, nil
		}
		v.memory.forget(d) // the long way says why, and may wait for the key's return
	}
	v.misses.Add(1)
	return v.verify(ctx, raw, d, t)
}

// verify establishes what holds on every route and at any time: this very key
// signed these claims. To explain, nothing is remembered and nothing shared.
func (v *Verifier) verify(ctx context.Context, raw string, d digest, t *trace) (*Identity, *Refusal) {
	c, refusal := split(raw, v.maxBytes)
	if refusal != nil {
		return nil, refusal
	}
	t.pass(StepForm)
	h, refusal := parseHeader(c.header)
	if refusal != nil {
		return nil, refusal
	}
	t.pass(StepHeader)
	claims, err := parseObject(c.payload)
	if err != nil {
		return nil, refuse(ReasonMalformed, "the claims are not one strict JSON object")
	}
	t.pass(StepPayload)
	// Until the signature holds, iss only chooses whose key must hold it. The
	// bytes it was read from are those under the signature, so it need not be
	// read again afterwards.
	issuer, refusal := v.issuerOf(claims)
	if refusal != nil {
		return nil, refusal
	}
	t.pass(StepIssuer)
	key, refusal := issuer.keyOf(ctx, h)
	if refusal != nil {
		if refusal.Reason == ReasonAlgorithm {
			t.pass(StepKey)
		}
		return nil, refusal
	}
	t.pass(StepKey)
	t.pass(StepAlgorithm)
	remembered := v.memory
	if t.explains() {
		remembered = nil
	}
	return remembered.verify(d, key, issuer, func() (*Identity, *Refusal) {
		// A copy: raw is often a piece of a whole request's head, which an identity
		// that is remembered must not keep.
		signed := []byte(c.signed)
		if err := key.Verify(signed, c.signature); err != nil {
			return nil, refuse(ReasonSignature, "the signature does not fit the key")
		}
		t.pass(StepSignature)
		if !issuer.acceptsTyp(h.typ) {
			return nil, refuse(ReasonTokenType, FaultWrongType)
		}
		t.pass(StepTyp)
		id, refusal := readClaims(claims, issuer)
		if refusal != nil {
			return nil, refusal
		}
		t.pass(StepClaims)
		id.seal(key, h, signed)
		return id, nil
	})
}

// Remembered returns how many tokens a Verifier remembers, the bytes that they
// count for, and how often a token was found and not found among them.
func (v *Verifier) Remembered() (tokens int, bytes, hits, misses uint64) {
	tokens, bytes = v.memory.size()
	return tokens, bytes, v.hits.Load(), v.misses.Load()
}

// issuerOf returns the issuer that the claims name. A missing iss is the one
// issuer's that is excused from it, if there is one.
func (v *Verifier) issuerOf(claims object) (*Issuer, *Refusal) {
	iss := ""
	if value, found := claims.get("iss"); found {
		var ok bool
		if iss, ok = value.text(); !ok || iss == "" {
			return nil, refuse(ReasonIssuer, "claim iss is not a string")
		}
	}
	if issuer := (*v.issuers.Load())[iss]; issuer != nil {
		return issuer, nil
	}
	return nil, refuse(ReasonIssuer, "the issuer is missing or not trusted")
}

// judge decides what depends on the clock, the issuer's settings, the route and
// the revocations. The cheap questions come first.
func (v *Verifier) judge(ctx context.Context, id *Identity, p *Policy, revocations Checker, t *trace) *Refusal {
	if refusal := v.judgeTimes(id); refusal != nil {
		return refusal
	}
	t.pass(StepTimes)
	if refusal := judgeAudience(id, p); refusal != nil {
		return refusal
	}
	t.pass(StepAudience)
	if refusal := judgeType(id, p); refusal != nil {
		return refusal
	}
	t.pass(StepTokenType)
	if refusal := judgeRevocation(ctx, id, p, revocations); refusal != nil {
		return refusal
	}
	t.pass(StepRevocation)
	// Last: a token that is revoked must not answer whether it had the scope.
	for _, scope := range p.Scopes {
		if !slices.Contains(id.scopes, scope) {
			return refuse(ReasonScope, "the token lacks a scope that is asked for here")
		}
	}
	t.pass(StepScope)
	for i := range p.Claims {
		if !p.Claims[i].Holds(id) {
			return refuse(ReasonClaim, "the token lacks a claim that is asked for here")
		}
	}
	t.pass(StepClaimRules)
	return nil
}

func judgeAudience(id *Identity, p *Policy) *Refusal {
	if id.audience == nil && id.issuer.Legacy.NoAudience {
		return nil
	}
	if len(id.issuer.Audiences) == 0 && id.issuer.RefuseAudience && id.audience != nil {
		return refuse(ReasonAudience, "the token names an audience, and there is none here")
	}
	if len(id.issuer.Audiences) > 0 && !anyOf(id.audience, id.issuer.Audiences) ||
		len(p.Audiences) > 0 && !anyOf(id.audience, p.Audiences) {
		return refuse(ReasonAudience, "the token is meant for another audience")
	}
	return nil
}

func judgeType(id *Identity, p *Policy) *Refusal {
	kind := id.TokenType
	switch {
	case id.issuer.Legacy.NoTokenType && kind != "refresh": // whatever it is called, that one is none
		kind = "access"
	case kind == "" && id.Own:
		return refuse(ReasonTokenType, FaultNoType)
	case kind == "":
		kind = "access"
	}
	if !p.accepts(kind) {
		return refuse(ReasonTokenType, FaultWrongType)
	}
	return nil
}

func (v *Verifier) judgeTimes(id *Identity) *Refusal {
	now, leeway := float64(v.now().UnixMicro())/1e6, id.issuer.Leeway.Seconds()
	// RFC 7519 section 4.1.4: "on or after" exp it must not be accepted.
	if now >= id.expires+leeway {
		return refuse(ReasonExpired, "exp has passed")
	}
	if id.notBefore > now+leeway || id.issuedAt > now+leeway {
		return refuse(ReasonNotYetValid, "nbf or iat lies in the future")
	}
	if longest := id.issuer.lifetime(id.TokenType).Seconds(); longest > 0 {
		from := id.issuedAt
		if from == 0 {
			from = now
		}
		if id.expires-from > longest {
			return refuse(ReasonLifetime, "the token lives longer than its issuer may promise")
		}
	}
	return nil
}
