package users

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// params are the cost of one Argon2id computation.
type params struct {
	memory  uint32 // KiB
	time    uint32 // passes
	threads uint8
}

// standard is the second choice of OWASP's password storage cheat sheet, and what
// new hashes get: 19 MiB, two passes, one lane.
var standard = params{memory: 19 << 10, time: 2, threads: 1}

const (
	saltBytes = 16
	sumBytes  = 32

	// A stored hash may ask for more than standard, because it was imported. These
	// are the limits of what is computed for it.
	maxMemory  = 256 << 10 // KiB
	maxTime    = 16
	maxThreads = 16
)

// phc is a hash in the PHC string format:
// $argon2id$v=19$m=19456,t=2,p=1$SALT$SUM, base64 without padding.
type phc struct {
	params
	salt, sum []byte
}

// errPHC does not repeat what could not be read: it may be a password's hash.
var errPHC = errors.New("not an argon2id hash")

var phcBase64 = base64.RawStdEncoding.Strict()

func (p phc) encode() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		p.memory, p.time, p.threads, phcBase64.EncodeToString(p.salt), phcBase64.EncodeToString(p.sum))
}

// cost of computing this, as one of the two variants.
func (p phc) cost(variant string) cost {
	return cost{algorithm: variant, work: p.time, memory: p.memory, lanes: uint32(p.threads)}
}

func parsePHC(s string) (phc, error) { return parseArgon2(argon2ID, s) }

// parseArgon2 reads a hash of one of the two variants. A hash without a version is
// of Argon2's version 16, which the library does not compute.
func parseArgon2(variant, s string) (phc, error) {
	part := strings.Split(s, "$")
	if len(part) != 6 || part[0] != "" || part[1] != variant || part[2] != "v=19" {
		return phc{}, errPHC
	}
	cost, err := parseParams(part[3])
	if err != nil {
		return phc{}, err
	}
	salt, err := phcBase64.DecodeString(part[4])
	if err != nil || len(salt) < 8 || len(salt) > 64 {
		return phc{}, errPHC
	}
	sum, err := phcBase64.DecodeString(part[5])
	if err != nil || len(sum) < 16 || len(sum) > 64 {
		return phc{}, errPHC
	}
	return phc{params: cost, salt: salt, sum: sum}, nil
}

// parseParams reads "m=19456,t=2,p=1", in that order, as every library writes it.
func parseParams(s string) (params, error) {
	part := strings.Split(s, ",")
	if len(part) != 3 {
		return params{}, errPHC
	}
	var n [3]uint64
	for i, field := range []struct {
		prefix   string
		min, max uint64
	}{{"m=", 8, maxMemory}, {"t=", 1, maxTime}, {"p=", 1, maxThreads}} {
		digits, ok := strings.CutPrefix(part[i], field.prefix)
		v, err := strconv.ParseUint(digits, 10, 32)
		if !ok || err != nil || v < field.min || v > field.max {
			return params{}, errPHC
		}
		n[i] = v
	}
	return params{memory: uint32(n[0]), time: uint32(n[1]), threads: uint8(n[2])}, nil
}
