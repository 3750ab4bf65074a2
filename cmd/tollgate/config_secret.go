package main

import (
	"encoding/base64"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
)

// masked is what a secret looks like wherever it is printed.
const masked = "***"

// Secret is a setting that is never shown. It may also come from a file: the
// variable's name with _FILE behind it names one, as an orchestrator mounts them.
//
// The text is held behind a pointer, which fmt prints as an address where it does
// not ask for our methods: inside of an unexported field.
type Secret struct {
	held    *string
	problem string
}

// Decode implements setting. Empty means not set.
func (s *Secret) Decode(text string) error {
	s.held, s.problem = nil, ""
	if text != "" {
		s.held = &text
	}
	return nil
}

func (s *Secret) fault() string { return s.problem }

// Reveal returns the secret itself, or "" when none is set.
func (s Secret) Reveal() string {
	if s.held == nil {
		return ""
	}
	return *s.held
}

// Set reports whether there is one.
func (s Secret) Set() bool { return s.held != nil }

// String masks the secret.
func (s Secret) String() string {
	if s.held == nil {
		return ""
	}
	return masked
}

// GoString masks the secret in %#v.
func (s Secret) GoString() string { return "Secret(" + s.String() + ")" }

// MarshalJSON masks the secret.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + s.String() + `"`), nil }

// MarshalText masks the secret.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue masks the secret in slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// secretive is a setting with a _FILE twin.
type secretive interface {
	setting
	blame(problem string)
}

func (s *Secret) blame(problem string) { s.held, s.problem = nil, problem }

// maxSecretBytes bounds a secret's file: a path to something else is a mistake.
const maxSecretBytes = 64 << 10

// loadSecret reads a secret from its _FILE twin, if that is set. The file's name
// is not shown either: somebody may have put the secret itself there.
func loadSecret(s secretive, name string) {
	twin := name + "_FILE"
	file := os.Getenv(twin)
	if file == "" {
		return
	}
	if os.Getenv(name) != "" {
		s.blame("and " + twin + " are both set: set one of them")
		return
	}
	text, err := readSecret(file)
	if err != nil {
		s.blame("cannot be read from the file that " + twin + " names: " + err.Error())
		return
	}
	text = strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
	if text == "" {
		s.blame("is empty in the file that " + twin + " names")
		return
	}
	_ = s.Decode(text) // never fails: it keeps its fault
}

func readSecret(file string) (string, error) {
	info, err := os.Stat(file)
	if err == nil {
		switch {
		case info.IsDir():
			return "", errors.New("it is a directory")
		case info.Size() > maxSecretBytes:
			return "", errors.New("it is longer than 64 KiB")
		}
		var text []byte
		if text, err = os.ReadFile(file); err == nil {
			return string(text), nil
		}
	}
	var named *fs.PathError
	if errors.As(err, &named) {
		err = named.Err
	}
	return "", err
}

// SealKeys are the keys that seal private keys: the first seals, all open.
type SealKeys struct {
	Secret
	keys *[][]byte // behind a pointer for the reason that Secret gives
}

// Decode implements setting.
func (k *SealKeys) Decode(text string) error {
	_ = k.Secret.Decode(strings.TrimSpace(text))
	k.keys = nil
	members, ok := splitList(text)
	if !ok {
		k.blame(emptyMember)
		return nil
	}
	var out [][]byte
	for _, member := range members {
		key, err := decodeBase64(member)
		switch {
		case err != nil:
			k.blame("has a key that is not base64")
			return nil
		case len(key) != 32:
			k.blame("has a key that is not 32 bytes long (make one with: openssl rand -base64 32)")
			return nil
		case slices.ContainsFunc(out, func(o []byte) bool { return string(o) == string(key) }):
			k.blame("has the same key twice")
			return nil
		}
		out = append(out, key)
	}
	k.keys = &out
	return nil
}

// Keys returns the keys, none when none are set.
func (k *SealKeys) Keys() [][]byte {
	if k.keys == nil {
		return nil
	}
	return *k.keys
}

// decodeBase64 takes both alphabets, with and without padding.
func decodeBase64(text string) ([]byte, error) {
	text = strings.TrimRight(text, "=")
	text = strings.NewReplacer("-", "+", "_", "/").Replace(text)
	return base64.RawStdEncoding.DecodeString(text)
}

// RedisURL says where Redis is. All of it is a secret: a password may be in it.
type RedisURL struct {
	Secret
	target *redisTarget
}

// Decode implements setting.
func (r *RedisURL) Decode(text string) error {
	text = strings.TrimSpace(text)
	_ = r.Secret.Decode(text)
	r.target = nil
	target, err := parseRedisURL(text)
	if err != nil {
		r.blame(err.Error())
		return nil
	}
	r.target = target
	return nil
}

// Embedded reports whether Redis is the one inside of this process.
func (r *RedisURL) Embedded() bool { return r.target != nil && r.target.mode == redisEmbedded }
