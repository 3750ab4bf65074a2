package users

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

// Algorithms of stored hashes, by the names that Django gives them.
const (
	argon2ID     = "argon2id"
	argon2I      = "argon2i"
	pbkdf2SHA256 = "pbkdf2_sha256"
	pbkdf2SHA1   = "pbkdf2_sha1"
	bcryptPlain  = "bcrypt"
	bcryptSHA256 = "bcrypt_sha256"
	scryptName   = "scrypt"
)

// Limits of what is computed for a hash that came from elsewhere: each is some
// seconds of one processor, and 256 MiB.
const (
	maxIterations = 10_000_000
	maxBcrypt     = 16 // log2 of the rounds
	maxScryptN    = 1 << 20
)

// errLegacy answers a hash that is a plain digest: whoever has it has the password
// within minutes, so no log-in may rest on it.
var errLegacy = errors.New("a plain md5 or sha1 digest, or a DES one")

// errHash does not repeat what could not be read.
var errHash = errors.New("not a hash of a known kind")

// stored is a password's hash as it was kept: argon2id of our own, or one that came
// from Django or from an htpasswd file.
type stored struct {
	cost      cost
	salt, sum []byte
	bcrypt    []byte // the whole hash, for the two bcrypt kinds alone
}

// CheckHash reports what is wrong with a hash that is to be taken over as it is, as
// ErrInvalid: argon2id and argon2i (PHC strings), and Django's pbkdf2_sha256,
// pbkdf2_sha1, argon2, bcrypt_sha256, bcrypt and scrypt are taken. The error never
// repeats the hash.
func CheckHash(hash string) error {
	if _, err := parseStored(hash); err != nil {
		return fmt.Errorf("%w: password hash: %w", ErrInvalid, err)
	}
	return nil
}

// parseStored reads a hash of any kind that can be checked.
func parseStored(hash string) (stored, error) {
	if strings.HasPrefix(hash, "$") {
		return parseModular(hash)
	}
	name, rest, found := strings.Cut(hash, "$")
	if !found {
		if len(hash) == 32 && strings.Trim(hash, "0123456789abcdef") == "" {
			return stored{}, errLegacy // Django's oldest: unsalted md5
		}
		return stored{}, errHash
	}
	switch name {
	case "argon2":
		return parseModular("$" + rest)
	case pbkdf2SHA256:
		return parsePBKDF2(name, rest, 32)
	case pbkdf2SHA1:
		return parsePBKDF2(name, rest, 20)
	case bcryptPlain, bcryptSHA256:
		return parseBcrypt(name, rest)
	case scryptName:
		return parseScrypt(rest)
	case "md5", "sha1", "crypt", "unsalted_md5", "unsalted_sha1":
		return stored{}, errLegacy
	}
	return stored{}, errHash
}

// parseModular reads what begins with "$": argon2 as a PHC string, or bcrypt.
func parseModular(hash string) (stored, error) {
	for _, variant := range []string{argon2ID, argon2I} {
		if strings.HasPrefix(hash, "$"+variant+"$") {
			p, err := parseArgon2(variant, hash)
			if err != nil {
				return stored{}, err
			}
			return stored{cost: p.cost(variant), salt: p.salt, sum: p.sum}, nil
		}
	}
	switch {
	case strings.HasPrefix(hash, "$2"):
		return parseBcrypt(bcryptPlain, hash)
	case strings.HasPrefix(hash, "$apr1$"), strings.HasPrefix(hash, "$1$"):
		return stored{}, errLegacy
	}
	return stored{}, errHash
}

// parsePBKDF2 reads ITERATIONS$SALT$SUM; the salt is text, the sum padded base64.
func parsePBKDF2(name, rest string, size int) (stored, error) {
	part := strings.Split(rest, "$")
	if len(part) != 3 || part[1] == "" || len(part[1]) > 255 {
		return stored{}, errHash
	}
	n, err := parseWork(part[0], 1, maxIterations)
	if err != nil {
		return stored{}, err
	}
	sum, err := base64.StdEncoding.Strict().DecodeString(part[2])
	if err != nil || len(sum) != size {
		return stored{}, errHash
	}
	return stored{cost: cost{algorithm: name, work: n}, salt: []byte(part[1]), sum: sum}, nil
}

// parseBcrypt reads $2b$COST$ and 53 characters. The versions a, b and y compute
// the same; x is a bug of its own.
func parseBcrypt(name, hash string) (stored, error) {
	if len(hash) != 60 || !strings.HasPrefix(hash, "$2a$") && !strings.HasPrefix(hash, "$2b$") && !strings.HasPrefix(hash, "$2y$") {
		return stored{}, errHash
	}
	n, err := parseWork(strings.TrimPrefix(hash[4:6], "0"), uint64(bcrypt.MinCost), maxBcrypt)
	if err != nil || hash[6] != '$' || strings.Trim(hash[7:], bcryptAlphabet) != "" {
		return stored{}, errHash
	}
	return stored{cost: cost{algorithm: name, work: n}, bcrypt: []byte(hash)}, nil
}

const bcryptAlphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// parseScrypt reads N$SALT$R$P$SUM; the salt is text, the sum 64 bytes.
func parseScrypt(rest string) (stored, error) {
	part := strings.Split(rest, "$")
	if len(part) != 5 || part[1] == "" || len(part[1]) > 255 {
		return stored{}, errHash
	}
	n, err1 := parseWork(part[0], 2, maxScryptN)
	r, err2 := parseWork(part[2], 1, 64)
	p, err3 := parseWork(part[3], 1, maxThreads)
	sum, err4 := base64.StdEncoding.Strict().DecodeString(part[4])
	if errors.Join(err1, err2, err3, err4) != nil || len(sum) != 64 || n&(n-1) != 0 {
		return stored{}, errHash
	}
	c := cost{algorithm: scryptName, work: n, memory: r, lanes: p}
	if c.room() > maxMemory {
		return stored{}, errHash
	}
	return stored{cost: c, salt: []byte(part[1]), sum: sum}, nil
}

func parseWork(digits string, least, most uint64) (uint32, error) {
	n, err := strconv.ParseUint(digits, 10, 32)
	if err != nil || n < least || n > most || strconv.FormatUint(n, 10) != digits {
		return 0, errHash
	}
	return uint32(n), nil
}
