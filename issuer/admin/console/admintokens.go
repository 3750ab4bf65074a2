package console

import (
	"net/http"
	"time"
)

// adminToken is one admin token, as the API shows it.
type adminToken struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Role      string     `json:"role"`
	State     string     `json:"state"`
	CreatedAt time.Time  `json:"created_at"`
	CreatedBy string     `json:"created_by"`
	ExpiresAt *time.Time `json:"expires_at"`
	LastUsed  *time.Time `json:"last_used_at"`
	RevokedAt *time.Time `json:"revoked_at"`
	RevokedBy string     `json:"revoked_by"`
	Token     string     `json:"token"` // in the answer that makes it
}

type adminTokensData struct {
	Items []adminToken
	Roles []choice
	Lives []choice
	// Made is the one that was just made, with its text; nil: none.
	Made *adminToken
}

func newAdminTokens(items []adminToken) *adminTokensData {
	return &adminTokensData{
		Items: items,
		Roles: []choice{{"viewer", "viewer: looks"}, {roleOperator, "operator: ends sessions and tokens, edits ordinary users"}, {roleAdmin, "admin: everything"}},
		Lives: []choice{{"24h", "a day"}, {"168h", "a week"}, {"720h", "30 days"}, {"2160h", "90 days"}, {"", "until it is revoked"}},
	}
}

// listAdminTokens shows them to who may make and revoke them.
func listAdminTokens(v *visit) error {
	items, err := v.adminTokens()
	if err != nil {
		return err
	}
	return v.show("admin-tokens", http.StatusOK, &page{Title: "Admin tokens", Nav: "/admin-tokens", Data: newAdminTokens(items), Twin: twin{
		Command: "tollgate admin-tokens list", Curl: v.curl(http.MethodGet, endpoint("admin-tokens"), ""),
	}})
}

func (v *visit) adminTokens() ([]adminToken, error) {
	var found list[adminToken]
	if err := v.call(http.MethodGet, endpoint("admin-tokens"), nil, &found); err != nil {
		return nil, err
	}
	return found.Items, nil
}

// addAdminToken shows the token in its answer and keeps it nowhere: a page that is
// fetched again does not have it.
func addAdminToken(v *visit) error {
	const here = "/admin-tokens"
	name, role, life := v.field("name"), v.field("role"), v.field("life")
	body := map[string]string{"name": name, "role": role}
	command := "tollgate admin-tokens create " + quote(name) + " --role " + quote(role)
	if life != "" {
		d, err := time.ParseDuration(life)
		if err != nil || d <= 0 {
			return v.back(here, &refusal{Status: http.StatusUnprocessableEntity, Detail: "How long is one of the list."})
		}
		body["expires_at"] = v.console.Now().Add(d).UTC().Format(time.RFC3339)
		command += " --expires " + quote(life)
	}
	var made adminToken
	if err := v.call(http.MethodPost, endpoint("admin-tokens"), body, &made); err != nil {
		return v.back(here, err)
	}
	// The token is there: that the list cannot be had must not take it away.
	items, err := v.adminTokens()
	if isOver(err) {
		return err
	}
	d := newAdminTokens(items)
	d.Made = &made
	return v.show("admin-tokens", http.StatusCreated, &page{Title: "Admin tokens", Nav: here, Data: d, Twin: twin{
		Command: command, Curl: v.curl(http.MethodPost, endpoint("admin-tokens"), asJSON(body)),
	}})
}

// confirmAdminToken shows which one is about to be revoked.
func confirmAdminToken(v *visit) error {
	items, err := v.adminTokens()
	if err != nil {
		return err
	}
	for _, one := range items {
		if one.ID == v.r.PathValue("id") {
			return v.show("admin-token", http.StatusOK, &page{Title: "Revoke an admin token", Nav: "/admin-tokens", Data: one, Twin: twin{
				Command: "tollgate admin-tokens revoke " + quote(one.ID) + " --yes", Curl: v.curl(http.MethodDelete, endpoint("admin-tokens", one.ID), ""),
			}})
		}
	}
	return &refusal{Status: http.StatusNotFound, Title: "Not Found", Detail: "There is no admin token with that id.", Code: "not_found"}
}

func revokeAdminToken(v *visit) error {
	var gone adminToken
	if err := v.call(http.MethodDelete, endpoint("admin-tokens", v.r.PathValue("id")), nil, &gone); err != nil {
		return v.back("/admin-tokens", err)
	}
	return v.done("/admin-tokens", "The admin token %s is refused from now on, and log-ins with it have ended.", gone.Name)
}
