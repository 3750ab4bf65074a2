package house

import (
	"slices"
	"strings"
)

const (
	jwx       = "github.com/lestrrat-go/jwx"
	goRedis   = "github.com/redis/go-redis"
	miniredis = "github.com/alicebob/miniredis"
	echo      = "github.com/labstack/echo"
	envconfig = "github.com/kelseyhightower/envconfig"
	cobra     = "github.com/spf13/cobra"
)

// importRules is the table of who may import whom, one row a rule.
func importRules() []Rule {
	return []Rule{
		unreachable("gateway", "an edge cannot sign, even by mistake", "issuer", "keys/ring", "keys/keystore"),
		unreachable("issuer!", "only the control plane looks into the data plane", "gateway"),
		unreachable("issuer/session", "sessions know no HTTP surface", "gateway", "issuer!", "issuer/admin", "issuer/users", "issuer/store"),
		unreachable("issuer/users", "who may log in is asked by the issuer and asks nothing of it", "gateway", "issuer!", "issuer/admin", "issuer/session", "issuer/store"),
		unreachable("issuer/store", "small records know no HTTP surface", "gateway", "issuer!", "issuer/admin", "issuer/session", "issuer/users"),
		unreachable("keys", "keys serve the edge and the issuer and know neither", "gateway", "issuer"),
		unreachable("keys!", "the public half knows nothing of private keys, Redis or policy", "keys/ring", "keys/keystore", "keys/remote", "keys/token", "revocation"),
		unreachable("keys/token", "checking a token needs no private key", "keys/ring", "keys/keystore"),
		unreachable("keys/remote", "what is fetched from others is public", "keys/ring", "keys/keystore"),
		unreachable("revocation!", "it reports what is revoked and imports none of ours: who asks decides",
			"gateway", "issuer", "keys", "internal", "revocation/revocationtest", "cmd"),
		unreachable("internal", "what all packages stand on stands on none of the two planes", "gateway", "issuer", "keys/ring", "keys/keystore"),

		outside(jwx, everywhere, "leaving jwx v2 is then one package's work", "keys"),
		outside(goRedis, productionOnly, "Redis is spoken by the packages that own a schema in it",
			"revocation!", "issuer/session", "issuer/users", "issuer/store", "keys/keystore", "internal/ratelimit", "internal/testkit", "cmd"),
		outside(miniredis, productionOnly, "an embedded Redis is a choice of the wiring", "internal/testkit", "cmd"),
		outside(echo, productionOnly, "Echo stays at the HTTP surfaces, so that the move to v5 is mechanical", "gateway", "issuer!", "issuer/admin"),
		outside(envconfig, everywhere, "the environment is read in cmd alone", "cmd"),
		outside(cobra, everywhere, "commands are wired in cmd alone", "cmd"),
		outside("testing", productionOnly, "test doubles do not live in product files", "internal/testkit", "revocation/revocationtest"),

		nobody("cmd", everywhere, "main wires the packages: whoever needs what stands there needs a package"),
		nobody("internal/testkit", productionOnly, "only _test.go files import the test kit"),
		nobody("revocation/revocationtest", productionOnly, "only _test.go files import the conformance suite"),
	}
}

// scope says which files a rule on direct imports reads.
type scope bool

const (
	productionOnly scope = false
	everywhere     scope = true // _test.go files too
)

// unreachable forbids packages under from to reach any of the targets through
// production code, directly or through others of the module.
func unreachable(from, reason string, targets ...string) Rule {
	name := strings.TrimSuffix(from, "!") + " never reaches " + strings.ReplaceAll(strings.Join(targets, ", "), "!", "")
	return Rule{Name: name, Reason: reason, Check: func(t *Tree) []Fault {
		var faults []Fault
		for _, p := range t.sorted() {
			if !within(p.Dir, from) || testSupport(p.Dir) {
				continue
			}
			for _, chain := range t.chains(p.Dir) {
				if last := chain[len(chain)-1]; within(last, targets...) && last != p.Dir {
					what := p.Dir + " must not import " + last
					if len(chain) > 2 {
						what += " (through " + strings.Join(chain[1:len(chain)-1], ", ") + ")"
					}
					faults = append(faults, Fault{Where: p.Dir, What: what})
				}
			}
		}
		return faults
	}}
}

// chains returns, for every package of the module that dir's production code
// reaches, one shortest chain from dir to it.
func (t *Tree) chains(dir string) [][]string {
	seen := map[string]bool{dir: true}
	queue := [][]string{{dir}}
	var all [][]string
	for len(queue) > 0 {
		chain := queue[0]
		queue = queue[1:]
		for _, next := range t.uses(chain[len(chain)-1]) {
			if seen[next] {
				continue
			}
			seen[next] = true
			longer := append(slices.Clone(chain), next)
			all = append(all, longer)
			queue = append(queue, longer)
		}
	}
	return all
}

// uses returns the packages of the module that dir's production files import.
func (t *Tree) uses(dir string) []string {
	p := t.Packages[dir]
	if p == nil {
		return nil
	}
	var list []string
	for _, f := range p.Files {
		if f.Test {
			continue
		}
		for _, path := range f.imports() {
			if own, ok := t.own(path); ok && !slices.Contains(list, own) {
				list = append(list, own)
			}
		}
	}
	slices.Sort(list)
	return list
}

// outside forbids a third party's package everywhere but under the homes.
func outside(path string, s scope, reason string, homes ...string) Rule {
	name := path + " only in " + strings.ReplaceAll(strings.Join(homes, ", "), "!", "")
	return Rule{Name: name, Reason: reason, Check: func(t *Tree) []Fault {
		return t.direct(s, func(dir, imported string) bool {
			return within(imported, path) && !within(dir, homes...)
		})
	}}
}

// nobody forbids the rest of the module to import what is under home.
func nobody(home string, s scope, reason string) Rule {
	name := "nobody imports " + home
	if s == productionOnly {
		name = "only tests import " + home
	}
	return Rule{Name: name, Reason: reason, Check: func(t *Tree) []Fault {
		return t.direct(s, func(dir, imported string) bool {
			own, ok := t.own(imported)
			return ok && within(own, home) && !within(dir, home)
		})
	}}
}

// direct returns a fault for each import for which bad holds.
func (t *Tree) direct(s scope, bad func(dir, imported string) bool) []Fault {
	var faults []Fault
	for _, p := range t.sorted() {
		for _, f := range p.Files {
			if f.Test && s == productionOnly {
				continue
			}
			for _, imported := range f.imports() {
				if bad(p.Dir, imported) {
					faults = append(faults, Fault{Where: f.Name, What: p.Dir + " must not import " + imported})
				}
			}
		}
	}
	return faults
}
