package console

import (
	"net/http"
	"net/url"
	"slices"
)

type keysData struct {
	Ring  ring
	Lines *timeline
}

func listKeys(v *visit) error {
	var d keysData
	if err := v.call(http.MethodGet, endpoint("keys"), nil, &d.Ring); err != nil {
		return err
	}
	d.Lines = timelineOf(d.Ring.Items, v.console.Now())
	return v.show("keys", http.StatusOK, &page{Title: "Keys", Nav: "/keys", Data: d, Twin: twin{
		Command: "tollgate keys list", Curl: v.curl(http.MethodGet, endpoint("keys"), ""),
	}})
}

// rotateKeys says what a rotation has cost, where it was made before its time.
func rotateKeys(v *visit) error {
	var after ring
	now := v.field("now") != ""
	if err := v.call(http.MethodPost, endpoint("keys", "rotate"), map[string]bool{"now": now}, &after); err != nil {
		return v.back("/keys", err)
	}
	if c := after.Cost; c != nil && c.RefusedUntil != nil {
		return v.done("/keys", "Rotated. Verifiers that keep an older key set may refuse new tokens until %s.", c.RefusedUntil.UTC().Format("15:04:05 UTC"))
	}
	return v.done("/keys", "Rotated: the pending key signs from now on. Tokens of the one before stay good until they expire.")
}

func retireKey(v *visit) error {
	if err := v.call(http.MethodPost, endpoint("keys", v.r.PathValue("kid"), "retire"), nil, nil); err != nil {
		return v.back("/keys", err)
	}
	return v.done("/keys", "Retired: the key signs nothing more, and its tokens stay good until they expire.")
}

// keyData is a key that is about to be revoked.
type keyData struct {
	Key key
	// Ended is how many live sessions it would end; nil: they could not be counted.
	Ended *int
	// Word is what has to be typed: nobody kills a key by one click too many.
	Word string
}

const wordLength = 6

func word(kid string) string { return kid[:min(len(kid), wordLength)] }

func confirmKey(v *visit) error {
	kid := v.r.PathValue("kid")
	var r ring
	if err := v.call(http.MethodGet, query(endpoint("keys"), "cost_of", kid), nil, &r); err != nil {
		return err
	}
	at := slices.IndexFunc(r.Items, func(k key) bool { return k.ID == kid })
	if at < 0 {
		return &refusal{Status: http.StatusNotFound, Title: "No such key", Detail: "The ring has no key of that name."}
	}
	return v.show("key", http.StatusOK, &page{Title: "Revoke a key", Nav: "/keys", Data: keyData{r.Items[at], r.SessionsEnded, word(kid)}, Twin: twin{
		Command: "tollgate keys revoke --yes " + value(kid), Curl: v.curl(http.MethodPost, endpoint("keys", kid, "revoke"), ""),
	}})
}

func revokeKey(v *visit) error {
	kid := v.r.PathValue("kid")
	if v.field("word") != word(kid) {
		return v.back("/keys/"+url.PathEscape(kid)+"/revoke", &refusal{Status: http.StatusUnprocessableEntity, Detail: "Nothing was done: what was typed is not the beginning of the key's name."})
	}
	var after ring
	if err := v.call(http.MethodPost, endpoint("keys", kid, "revoke"), nil, &after); err != nil {
		return v.back("/keys", err)
	}
	ended := ""
	if after.SessionsEnded != nil {
		ended = " " + plural(*after.SessionsEnded, "session has", "sessions have") + " ended by it."
	}
	return v.done("/keys", "Revoked: every token that the key signed is refused.%s", ended)
}
