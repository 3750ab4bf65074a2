package users

import (
	"strings"
	"testing"
)

func TestParsePHC(t *testing.T) {
	const good = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	tests := []struct {
		name, in string
		ok       bool
	}{
		{"ours", good, true},
		{"costlier", strings.Replace(good, "m=19456,t=2,p=1", "m=102400,t=2,p=8", 1), true},
		{"empty", "", false},
		{"unusable", unusable, false},
		{"django's unusable", "!fVBqXSmJNHq0", false},
		{"argon2i", strings.Replace(good, "argon2id", "argon2i", 1), false},
		{"old version", strings.Replace(good, "v=19", "v=16", 1), false},
		{"no version", strings.Replace(good, "$v=19", "", 1), false},
		{"trailing part", good + "$", false},
		{"padded", good + "=", false},
		{"order", strings.Replace(good, "m=19456,t=2,p=1", "t=2,m=19456,p=1", 1), false},
		{"extra parameter", strings.Replace(good, "p=1", "p=1,keyid=x", 1), false},
		{"no passes", strings.Replace(good, "t=2", "t=0", 1), false},
		{"too many passes", strings.Replace(good, "t=2", "t=1000", 1), false},
		{"too much memory", strings.Replace(good, "m=19456", "m=4194304", 1), false},
		{"overflow", strings.Replace(good, "m=19456", "m=4294967304", 1), false},
		{"negative", strings.Replace(good, "m=19456", "m=-1", 1), false},
		{"lanes overflow a byte", strings.Replace(good, "p=1", "p=257", 1), false},
		{"short salt", strings.Replace(good, "c29tZXNhbHQ", "c29t", 1), false},
		{"short sum", strings.Replace(good, "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "CTFhFdXP", 1), false},
		{"bcrypt", "$2b$12$eImiTXuWVxfM37uY4JANjQ==", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := parsePHC(tt.in)
			if (err == nil) != tt.ok {
				t.Fatalf("parsePHC: %v, want ok %v", err, tt.ok)
			}
			if err != nil && tt.in != "" && strings.Contains(err.Error(), tt.in) {
				t.Errorf("the error repeats the hash: %v", err)
			}
			if tt.ok && p.encode() != tt.in {
				t.Errorf("encode = %s, want %s", p.encode(), tt.in)
			}
		})
	}
}

func FuzzParsePHCNeverExceedsItsLimits(f *testing.F) {
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	f.Add("$argon2id$v=19$m=8,t=1,p=1$$")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parsePHC(s)
		if err != nil {
			return
		}
		if p.memory < 8 || p.memory > maxMemory || p.time < 1 || p.time > maxTime || p.threads < 1 || p.threads > maxThreads {
			t.Errorf("%q asks for %+v", s, p.params)
		}
		again, err := parsePHC(p.encode())
		if err != nil || again.encode() != p.encode() {
			t.Errorf("%q does not survive a round trip: %v", s, err)
		}
	})
}
