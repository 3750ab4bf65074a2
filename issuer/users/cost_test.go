package users

import (
	"errors"
	"slices"
	"testing"
)

// Every refusal in a directory takes the same work, whoever it is about.
func TestEveryRefusalCostsTheSameWork(t *testing.T) {
	var all costs
	for _, text := range []string{"pbkdf2_sha256,260000,0,0", "bcrypt_sha256,12,0,0", "pbkdf2_sha256,600000,0,0", "pbkdf2_sha256,390000,0,0", standardCost().text()} {
		c, err := parseCost(text)
		if err != nil {
			t.Fatal(err)
		}
		all = all.with(c)
	}
	if len(all) != 2 {
		t.Fatalf("%v: want bcrypt and the dearest PBKDF2", all)
	}
	work := func(own cost) map[string]int {
		sum := map[string]int{own.algorithm: int(own.work)}
		for _, c := range all.rest(own) {
			sum[c.algorithm] += int(c.work)
		}
		return sum
	}
	want := work(standardCost()) // of an unknown name
	if want["pbkdf2_sha256"] != 600000 || want["bcrypt_sha256"] != 12 || want[argon2ID] != int(standard.time) {
		t.Errorf("an unknown name costs %v", want)
	}
	for _, own := range []cost{
		{algorithm: pbkdf2SHA256, work: 260000}, {algorithm: pbkdf2SHA256, work: 600000}, {algorithm: bcryptSHA256, work: 12},
	} {
		for algorithm, n := range work(own) {
			if want[algorithm] != n {
				t.Errorf("own %+v: %s costs %d, want %d", own, algorithm, n, want[algorithm])
			}
		}
	}
}

func TestCostsAreBounded(t *testing.T) {
	var all costs
	for n := range uint32(13) {
		all = all.with(cost{algorithm: bcryptPlain, work: 4 + n})
	}
	if len(all) != maxCosts {
		t.Errorf("%d costs, want %d", len(all), maxCosts)
	}
	for _, text := range []string{"", "md5,1,0,0", "pbkdf2_sha256,0,0,0", "pbkdf2_sha256,1,2,3", "bcrypt,31,0,0", "scrypt,1048576,64,16", "bcrypt,12", "bcrypt,-1,0,0"} {
		if c, err := parseCost(text); err == nil {
			t.Errorf("parseCost(%q) = %+v", text, c)
		}
	}
}

// A directory with imported hashes: an unknown name, a user with one of ours and a
// user with an imported one are told apart by nothing that is computed or asked.
func TestImportedHashesDoNotShowInARefusal(t *testing.T) {
	onEach(t, func(t *testing.T, b box) {
		h := NewHasher(2)
		r := NewRedis(b.client, prefix, h)
		mustAdd(t, r, New{Username: "new", Password: "pw", IsActive: true})
		mustAdd(t, r, New{Username: "off", PasswordHash: hashes()["bcrypt"].hash})
		mustAdd(t, r, New{Username: "old", PasswordHash: hashes()["pbkdf2_sha256"].hash, IsActive: true})
		var found []uint64
		for _, login := range []string{"nobody", "new", "off", "old"} {
			before := h.Computed()
			other := NewRedis(b.client, prefix, h) // another process
			if _, err := other.Authenticate(t.Context(), login, "wrong"); !errors.Is(err, ErrCredentials) {
				t.Fatal(err)
			}
			found = append(found, h.Computed()-before)
		}
		if len(slices.Compact(found)) != 1 || found[0] != 3 {
			t.Errorf("hashes computed: %v, want three for each", found)
		}
		before := h.Computed()
		if _, err := r.Authenticate(t.Context(), "new", "pw"); err != nil || h.Computed() != before+1 {
			t.Errorf("a good log-in computes %d, %v", h.Computed()-before, err)
		}
	})
}

func TestDjangoHashIsRenewedAtLogin(t *testing.T) {
	onEach(t, func(t *testing.T, b box) {
		r := NewRedis(b.client, prefix, NewHasher(2))
		for _, name := range []string{"pbkdf2_sha256", "pbkdf2_sha1", "argon2i", "scrypt", "bcrypt", "bcrypt_sha256"} {
			tt := hashes()[name]
			u := mustAdd(t, r, New{Username: name, PasswordHash: tt.hash, IsActive: true})
			for _, step := range []string{"as it was", "renewed"} {
				if _, err := r.Authenticate(t.Context(), name, tt.password); err != nil {
					t.Errorf("%s, %s: %v", name, step, err)
				}
			}
			rec, err := r.byID(t.Context(), u.ID)
			if s, parsed := parseStored(rec.password); err != nil || parsed != nil || s.cost != standardCost() {
				t.Errorf("%s: stored as %.30s, %v", name, rec.password, err)
			}
			if !rec.user.PasswordChanged.Equal(u.PasswordChanged) {
				t.Errorf("%s: the password counts as changed", name)
			}
		}
	})
}
