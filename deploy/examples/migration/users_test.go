//go:build interop

package migration_test

import (
	"net/http"
	"strings"
	"testing"

	"tollgate/internal/testkit"
	"tollgate/internal/testkit/interop"
)

// hashers are the kinds of hashes that the script leaves in the database, and what each
// begins with. Django 3.2 has no scrypt: its layout is written by hand, with the
// parameters of Django 4.0 and of 5.2.
func hashers() map[string]string {
	return map[string]string{
		"pbkdf2_sha256": "pbkdf2_sha256$", "pbkdf2_sha1": "pbkdf2_sha1$", "argon2": "argon2$argon2id$", "bcrypt_sha256": "bcrypt_sha256$$2b$",
		"scrypt": "scrypt$16384$", "scrypt5": "scrypt$16384$",
	}
}

const makeUsers = `
import base64, hashlib
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, User
group = Group.objects.create(name="editors")
password = %PASSWORD%
def scrypt(p):
    raw = hashlib.scrypt(password.encode(), salt=b"seasalt12", n=16384, r=8, p=p, maxmem=64 * 1024 * 1024, dklen=64)
    return "scrypt$16384$seasalt12$8$%d$%s" % (p, base64.b64encode(raw).decode())
for name in ("pbkdf2_sha256", "pbkdf2_sha1", "argon2", "bcrypt_sha256"):
    User.objects.create(username=name, password=make_password(password, hasher=name), email=name + "@example.com", first_name="Ada")
User.objects.create(username="scrypt", password=scrypt(1))
User.objects.create(username="scrypt5", password=scrypt(5), is_staff=True)
User.objects.create(username="gone", password=make_password(password), is_active=False)
User.objects.create(username="nobody", password=make_password(None))
User.objects.get(username="argon2").groups.add(group)
`

// TestUsers: a dumpdata of Django's own is imported, its users log in with their old
// passwords, and afterwards the hashes are tollgate's.
func TestUsers(t *testing.T) {
	p := mustProject(t, "HS256")
	p.must(t, "shell", "-c", strings.ReplaceAll(makeUsers, "%PASSWORD%", "\""+interop.Password+"\""))
	dump := p.must(t, "dumpdata", "auth.user", "auth.group")
	gate := interop.MustServe(t, interop.Env{"UPSTREAM": interop.MustBackend(t).URL, "CLAIMS": "first_name=first_name,groups=groups,is_staff=is_staff", "LOGIN_CONCURRENCY": "2"})
	var report struct{ Created int }
	gate.MustCommand(t, dump, &report, "users", "import", "-")
	if report.Created != 8 {
		t.Errorf("%d users were created, want 8", report.Created)
	}
	for name, prefix := range hashers() {
		if stored := storedHash(t, gate, name); !strings.HasPrefix(stored, prefix) {
			t.Fatalf("%s is stored as %.20q", name, stored)
		}
	}
	for name := range hashers() {
		t.Run(name, func(t *testing.T) {
			if status := logIn(t, gate, name, "wrong"); status != http.StatusUnauthorized {
				t.Errorf("a wrong password: status %d", status)
			}
			first := gate.MustLogIn(t, name)
			if stored := storedHash(t, gate, name); !strings.HasPrefix(stored, "$argon2id$") {
				t.Errorf("after the log-in it is stored as %.20q", stored)
			}
			again := gate.MustLogIn(t, name) // with the hash made anew
			for _, pair := range []interop.Pair{first, again} {
				if status := gate.MustPost(t, "/api/token/verify/", "", map[string]string{"token": pair.Access}, nil); status != http.StatusOK {
					t.Errorf("its token: status %d", status)
				}
			}
			if status := logIn(t, gate, name, "wrong"); status != http.StatusUnauthorized {
				t.Errorf("a wrong password afterwards: status %d", status)
			}
		})
	}
	for _, name := range []string{"gone", "nobody"} {
		if status := logIn(t, gate, name, interop.Password); status != http.StatusUnauthorized {
			t.Errorf("%s: status %d", name, status)
		}
	}
	claims := interop.Segment(t, gate.MustLogIn(t, "argon2").Access, 1)
	if groups, _ := claims["groups"].([]any); len(groups) != 1 || groups[0] != "editors" || claims["is_staff"] != false {
		t.Errorf("claims %v", claims)
	}
	if claims := interop.Segment(t, gate.MustLogIn(t, "pbkdf2_sha1").Access, 1); claims["first_name"] != "Ada" || claims["user_id"] != "2" {
		t.Errorf("claims %v", claims)
	}
}

func logIn(t *testing.T, gate *interop.Tollgate, name, password string) int {
	t.Helper()
	return gate.MustPost(t, "/api/token/", "", map[string]string{"username": name, "password": password}, nil)
}

// storedHash is what the record of a user holds.
func storedHash(t *testing.T, gate *interop.Tollgate, name string) string {
	t.Helper()
	client := testkit.MustClient(t, gate.Redis.Addr)
	for _, key := range client.Keys(t.Context(), "tg:user:{*").Val() {
		if record := client.HGetAll(t.Context(), key).Val(); record["username"] == name {
			return record["password"]
		}
	}
	t.Fatalf("there is no user %s", name)
	return ""
}
