package issuer

import "net/http"

// mustChange answers a log-in whose password is right but has to be changed before
// anything is handed out. Only who knows the password learns so much; the code tells
// a front end to ask for another one.
func mustChange() *fault {
	const message = "The password has to be changed before logging in."
	return &fault{
		http.StatusUnauthorized, detail{message, "password_change_required"}, true, "", message,
	}
}
