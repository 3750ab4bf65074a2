package users

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// The last vector is from the test program of the Argon2 reference implementation.
func TestVerify(t *testing.T) {
	h := NewHasher(2)
	mine, err := h.Hash(t.Context(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(mine, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("hash has other parameters: %.40s", mine)
	}
	if again, _ := h.Hash(t.Context(), "correct horse"); again == mine {
		t.Error("two hashes of one password are the same: no salt")
	}
	const reference = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	tests := []struct {
		name, hash, password string
		ok, rehash           bool
	}{
		{"right", mine, "correct horse", true, false},
		{"wrong", mine, "correct horsf", false, false},
		{"empty", mine, "", false, false},
		{"longer", mine, "correct horse ", false, false},
		{"unusable", unusable, "!", false, false},
		{"not a hash", "correct horse", "correct horse", false, false},
		{"no hash", "", "", false, false},
		{"reference", reference, "password", true, true},
		{"reference, wrong", reference, "passwore", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := h.Computed()
			ok, rehash, err := h.Verify(t.Context(), tt.hash, tt.password)
			if err != nil || ok != tt.ok || rehash != tt.rehash {
				t.Errorf("Verify = %v, %v, %v; want %v, %v", ok, rehash, err, tt.ok, tt.rehash)
			}
			if n := h.Computed() - before; n != 1 {
				t.Errorf("computed %d hashes, want 1", n)
			}
		})
	}
}

// The decoy must cost what a real hash costs, not only be computed.
func TestDummyAsksForTheStandardCost(t *testing.T) {
	h := NewHasher(1)
	var got params
	h.compute = func(_, salt []byte, time, memory uint32, threads uint8, n uint32) []byte {
		got = params{memory, time, threads}
		if len(salt) != saltBytes || n != sumBytes {
			t.Errorf("salt of %d bytes, sum of %d", len(salt), n)
		}
		return make([]byte, n)
	}
	if err := h.Dummy(t.Context(), "x"); err != nil {
		t.Fatal(err)
	}
	if got != standard {
		t.Errorf("dummy costs %+v, a hash %+v", got, standard)
	}
	if ok, _, _ := h.Verify(t.Context(), unusable, "x"); ok {
		t.Error("a sum that equals the decoy's let an unusable password through")
	}
}

func TestSlotsBoundTheMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHasher(3)
		var now, most atomic.Int64
		h.compute = func(_, _ []byte, _, memory uint32, _ uint8, n uint32) []byte {
			for used := now.Add(int64(memory)); ; {
				if m := most.Load(); used <= m || most.CompareAndSwap(m, used) {
					break
				}
			}
			time.Sleep(10 * time.Millisecond)
			now.Add(-int64(memory))
			return make([]byte, n)
		}
		double := phc{params: params{2 * standard.memory, 2, 1}, salt: make([]byte, saltBytes), sum: make([]byte, sumBytes)}.encode()
		huge := phc{params: params{maxMemory, 2, 1}, salt: make([]byte, saltBytes), sum: make([]byte, sumBytes)}.encode()
		done := make(chan error)
		for i := range 60 {
			go func() {
				var err error
				switch i % 3 {
				case 0:
					err = h.Dummy(t.Context(), "")
				case 1:
					_, err = h.Hash(t.Context(), "x")
				default:
					_, _, err = h.Verify(t.Context(), double, "x")
				}
				done <- err
			}()
		}
		for range 60 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if limit := 3 * int64(standard.memory); most.Load() != limit {
			t.Errorf("at most %d KiB at once, want all of %d and no more", most.Load(), limit)
		}
		if _, _, err := h.Verify(t.Context(), huge, "x"); err != nil {
			t.Errorf("a hash larger than the room: %v", err)
		}
	})
}

func TestBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHasher(1)
		release := make(chan struct{})
		h.compute = func(_, _ []byte, _, _ uint32, _ uint8, n uint32) []byte {
			<-release
			return make([]byte, n)
		}
		first := make(chan error)
		go func() { first <- h.Dummy(t.Context(), "") }()
		synctest.Wait()

		began := time.Now()
		if err := h.Dummy(t.Context(), ""); !errors.Is(err, ErrBusy) {
			t.Errorf("second = %v, want ErrBusy", err)
		}
		if waited := time.Since(began); waited != patience {
			t.Errorf("waited %v, want %v", waited, patience)
		}
		short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		began = time.Now()
		if _, err := h.Hash(short, "secret"); !errors.Is(err, ErrBusy) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("with a deadline = %v, want ErrBusy and the context's error", err)
		}
		if waited := time.Since(began); waited != 50*time.Millisecond {
			t.Errorf("waited %v past its context", waited)
		}
		close(release)
		if err := <-first; err != nil {
			t.Errorf("first = %v", err)
		}
		if err := h.Dummy(t.Context(), ""); err != nil {
			t.Errorf("after the slot was given back = %v", err)
		}
	})
}

func BenchmarkHash(b *testing.B) {
	h := NewHasher(0)
	for b.Loop() {
		if _, err := h.Hash(b.Context(), "correct horse"); err != nil {
			b.Fatal(err)
		}
	}
}
