package users

import (
	"fmt"
	"slices"
	"strings"
)

// cost is what one computation takes. Which numbers count depends on the
// algorithm: argon2 has passes, KiB and lanes; PBKDF2 iterations; bcrypt the
// logarithm of its rounds; scrypt N, r and p.
type cost struct {
	algorithm           string
	work, memory, lanes uint32
}

// standardCost is that of a hash of our own.
func standardCost() cost { return phc{params: standard}.cost(argon2ID) }

// room is the memory in KiB that counts against the hasher's. What takes hardly
// any still takes a slot: slots bound the processors in use as well.
func (c cost) room() int64 {
	used := int64(0)
	switch c.algorithm {
	case argon2ID, argon2I:
		used = int64(c.memory)
	case scryptName: // RFC 7914 section 2: 128 r N bytes, and 128 r p
		used = (int64(c.work) + int64(c.lanes)) * int64(c.memory) * 128 / 1024
	}
	return max(used, int64(standard.memory))
}

// text is the cost as the list of costs in Redis holds it.
func (c cost) text() string {
	return fmt.Sprintf("%s,%d,%d,%d", c.algorithm, c.work, c.memory, c.lanes)
}

// parseCost reads what text wrote, within the limits that a hash has.
func parseCost(text string) (cost, error) {
	part := strings.Split(text, ",")
	if len(part) != 4 {
		return cost{}, errHash
	}
	c := cost{algorithm: part[0]}
	for i, n := range []*uint32{&c.work, &c.memory, &c.lanes} {
		v, err := parseWork(part[i+1], 0, 1<<32-1)
		if err != nil {
			return cost{}, err
		}
		*n = v
	}
	if s, err := parseStored(c.decoy()); err != nil || s.cost != c {
		return cost{}, errHash
	}
	return c, nil
}

// decoy returns a hash of this cost that no password is known for.
func (c cost) decoy() string {
	zeros := func(n int) string { return strings.Repeat("A", n) } // zero bytes in base64
	switch c.algorithm {
	case argon2ID, argon2I:
		return fmt.Sprintf("$%s$v=19$m=%d,t=%d,p=%d$%s$%s", c.algorithm, c.memory, c.work, c.lanes, zeros(22), zeros(43))
	case pbkdf2SHA256:
		return fmt.Sprintf("%s$%d$salt$%s=", c.algorithm, c.work, zeros(43))
	case pbkdf2SHA1:
		return fmt.Sprintf("%s$%d$salt$%s=", c.algorithm, c.work, zeros(27))
	case bcryptPlain, bcryptSHA256:
		return fmt.Sprintf("%s$$2b$%02d$%s", c.algorithm, c.work, strings.Repeat(".", 53))
	case scryptName:
		return fmt.Sprintf("%s$%d$salt$%d$%d$%s==", c.algorithm, c.work, c.memory, c.lanes, zeros(86))
	}
	return ""
}

// costs are the kinds of hashes in a directory beside the standard one, in order.
type costs []cost

// maxCosts bounds what a refusal may have to compute.
const maxCosts = 8

// with returns the costs with one more. Of PBKDF2 only the greatest number of
// iterations is kept: a smaller one is filled up to it.
func (all costs) with(c cost) costs {
	if c == standardCost() || slices.Contains(all, c) {
		return all
	}
	out := slices.Clone(all)
	if at := all.pbkdf2(c.algorithm); at >= 0 {
		out[at].work = max(out[at].work, c.work)
		return out
	}
	if len(out) == maxCosts {
		return out
	}
	out = append(out, c)
	slices.SortFunc(out, func(a, b cost) int { return strings.Compare(a.text(), b.text()) })
	return out
}

// pbkdf2 returns where an algorithm stands if it is of the PBKDF2 family, else -1.
func (all costs) pbkdf2(algorithm string) int {
	return slices.IndexFunc(all, func(c cost) bool {
		return c.algorithm == algorithm && strings.HasPrefix(algorithm, "pbkdf2_")
	})
}

// rest returns what is left to be computed after own, so that every refusal takes
// the standard cost and each of these.
func (all costs) rest(own cost) []cost {
	var out []cost
	for _, c := range append(costs{standardCost()}, all...) {
		switch {
		case c == own:
		case strings.HasPrefix(c.algorithm, "pbkdf2_") && c.algorithm == own.algorithm:
			if c.work > own.work {
				c.work -= own.work
				out = append(out, c)
			}
		default:
			out = append(out, c)
		}
	}
	return out
}
