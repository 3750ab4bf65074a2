package users

import (
	"errors"
	"strings"
	"testing"
)

const djangoPassword = "p@ss w\u00f6rd \u20ac"

// The sums come from Django and its own tests, and those of bcrypt from libxcrypt.
func hashes() map[string]struct{ hash, password string } {
	return map[string]struct{ hash, password string }{
		"pbkdf2_sha256":      {"pbkdf2_sha256$1000$seasalt12$Di9DF4ZHt7PF4xPob7nuXzJHE+jlUsYaCdN+qp0HaPk=", djangoPassword},
		"pbkdf2_sha256, 4.1": {"pbkdf2_sha256$390000$seasalt$8xBlGd3jVgvJ+92hWPxi5ww0uuAuAnKgC45eudxro7c=", "lètmein"},
		"pbkdf2_sha1":        {"pbkdf2_sha1$1000$seasalt12$lG+9GWkNsiYWhbIhmUKmNAp+n44=", djangoPassword},
		"argon2i":            {"argon2$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$YC9+jJCrQhs5R6db7LlN8Q", "secret"},
		"argon2id":           {"argon2$argon2id$v=19$m=102400,t=2,p=8$Y041dExhNkljRUUy$TMa6A8fPJhCAUXRhJXCXdw", "secret"},
		"argon2id, bare":     {"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "password"},
		"scrypt":             {"scrypt$16384$seasalt12$8$1$d/Cr+EscbElluFtca2y1sns4qVFnLnqv/ipfqmECMTwlsklfpJYiOj4Iw6L/80kRZHFe8JlUdND0uE9sBT9J4Q==", djangoPassword},
		"bcrypt":             {"bcrypt$$2b$04$abcdefghijklmnopqrstuujI2VRA3XYFsSEZ31xQVM5jA7DqI8ZZ2", djangoPassword},
		"bcrypt, htpasswd":   {"$2y$04$abcdefghijklmnopqrstuujI2VRA3XYFsSEZ31xQVM5jA7DqI8ZZ2", djangoPassword},
		"bcrypt_sha256":      {"bcrypt_sha256$$2b$04$abcdefghijklmnopqrstuuu.p6Kzzzw0uJp2VUMIcviI4z3R709si", djangoPassword},
	}
}

func TestHashesFromElsewhere(t *testing.T) {
	h := NewHasher(2)
	for name, tt := range hashes() {
		t.Run(name, func(t *testing.T) {
			if err := CheckHash(tt.hash); err != nil {
				t.Fatal(err)
			}
			before := h.Computed()
			for password, want := range map[string]bool{tt.password: true, tt.password[1:]: false, "": false, tt.hash: false} {
				ok, rehash, err := h.Verify(t.Context(), tt.hash, password)
				if err != nil || ok != want || rehash != want {
					t.Errorf("Verify(%q) = %v, %v, %v; want %v", password, ok, rehash, err, want)
				}
			}
			if n := h.Computed() - before; n != 4 {
				t.Errorf("computed %d hashes for four passwords", n)
			}
		})
	}
}

// bcrypt never read past 72 bytes; with SHA-256 before it all of them count.
func TestBcryptReadsSeventyTwoBytes(t *testing.T) {
	h := NewHasher(1)
	const long = "bcrypt$$2b$04$abcdefghijklmnopqrstuubzadhGtS2zEF.gu0yd0opP6cVzb.e0i" // of 80 times x
	for n, want := range map[int]bool{71: false, 72: true, 73: true, 4000: true} {
		if ok, _, err := h.Verify(t.Context(), long, strings.Repeat("x", n)); ok != want || err != nil {
			t.Errorf("%d bytes: %v, %v, want %v", n, ok, err, want)
		}
	}
}

func TestHashesThatAreRefused(t *testing.T) {
	all := hashes()
	tests := []struct {
		name, hash string
		legacy     bool
	}{
		{"md5", "md5$seasalt$3f86d0d3d465b7b458c231bf3555c0e3", true},
		{"sha1", "sha1$seasalt$cff36ea83f5706ce9aa7454e63e431fc726b2dc8", true},
		{"unsalted sha1", "sha1$$6d138ca3ae545631b3abd71a4f076ce759c5700b", true},
		{"unsalted md5", "88a434c88cca4e900f7874cd98123f43", true},
		{"crypt", "crypt$$ab1Hv2Lg7ltQo", true},
		{"apr1", "$apr1$x$y", true},
		{"unusable", "!fVBqXSmJNHq0", false},
		{"nothing", "", false},
		{"a password", "hunter2", false},
		{"argon2 without version", "argon2$argon2i$m=8,t=1,p=1$c29tZXNhbHQ$gwQOXSNhxiOxPOA0+PY10P9QFO4NAYysnqRt1GSQLE55m+2GYDt9FEjPMHhP2Cuf0nOEXXMocVrsJAtNSsKyfg", false},
		{"argon2d", strings.Replace(all["argon2id, bare"].hash, "argon2id", "argon2d", 1), false},
		{"bcrypt x", strings.Replace(all["bcrypt, htpasswd"].hash, "$2y$", "$2x$", 1), false},
		{"bcrypt of years", strings.Replace(all["bcrypt, htpasswd"].hash, "$04$", "$31$", 1), false},
		{"bcrypt cut off", all["bcrypt, htpasswd"].hash[:59], false},
		{"pbkdf2 of hours", strings.Replace(all["pbkdf2_sha256"].hash, "$1000$", "$1000000000$", 1), false},
		{"pbkdf2 of no iteration", strings.Replace(all["pbkdf2_sha256"].hash, "$1000$", "$0$", 1), false},
		{"pbkdf2 without salt", strings.Replace(all["pbkdf2_sha256"].hash, "seasalt12", "", 1), false},
		{"pbkdf2 with a short sum", "pbkdf2_sha256$1000$seasalt12$Di9DF4ZHt7PF4xPobw==", false},
		{"scrypt of gigabytes", strings.Replace(all["scrypt"].hash, "$16384$", "$1048576$", 1), false},
		{"scrypt, no power of two", strings.Replace(all["scrypt"].hash, "$16384$", "$16383$", 1), false},
	}
	h := cheap()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := CheckHash(tt.hash)
			if !errors.Is(err, ErrInvalid) || errors.Is(err, errLegacy) != tt.legacy {
				t.Errorf("CheckHash = %v, legacy %v", err, tt.legacy)
			}
			if tt.hash != "" && strings.Contains(err.Error(), tt.hash) {
				t.Errorf("the error repeats the hash: %v", err)
			}
			before := h.Computed()
			if ok, rehash, err := h.Verify(t.Context(), tt.hash, tt.hash); ok || rehash || err != nil || h.Computed() != before+1 {
				t.Errorf("Verify = %v, %v, %v with %d hashes", ok, rehash, err, h.Computed()-before)
			}
		})
	}
}

func FuzzNoHashCostsMoreThanItsLimits(f *testing.F) {
	for _, tt := range hashes() {
		f.Add(tt.hash)
	}
	f.Fuzz(func(t *testing.T, hash string) {
		s, err := parseStored(hash)
		if err != nil {
			return
		}
		if s.cost.room() > maxMemory || s.cost.work > maxIterations {
			t.Errorf("%q costs %+v", hash, s.cost)
		}
		if again, err := parseCost(s.cost.text()); err != nil || again != s.cost {
			t.Errorf("%q: the cost %+v comes back as %+v, %v", hash, s.cost, again, err)
		}
	})
}
