package admin

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"tollgate/internal/problem"
	"tollgate/issuer/store"
	"tollgate/issuer/users"
	"tollgate/revocation"
)

// defaultOverlap is how long a secret is taken after its successor was made.
const defaultOverlap = 24 * time.Hour

// clientBody creates a client, or changes what is named in it.
type clientBody struct {
	ID        string    `json:"id"` // default: one that we make; not in a change
	Name      *string   `json:"name"`
	Grants    *[]string `json:"grants"` // default: client_credentials
	Scopes    *[]string `json:"scopes"`
	Audiences *[]string `json:"audiences"`
	AccessTTL *string   `json:"access_ttl"` // a duration such as 1m; 0s: the server's
	// Algorithm is one of those that sign here; "": the one that signs everybody's.
	Algorithm *string `json:"access_token_signing_alg"`
	Disabled  *bool   `json:"disabled"`
	// NoIntrospection keeps it from asking about tokens.
	NoIntrospection *bool           `json:"no_introspection"`
	JWKS            json.RawMessage `json:"jwks"` // instead of a secret
	// RotateSecret makes a new secret; the present one is taken for Overlap longer,
	// default 24h.
	RotateSecret bool   `json:"rotate_secret"`
	Overlap      string `json:"overlap"`
}

type clientItem struct {
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	Grants    []string `json:"grants"`
	Scopes    []string `json:"scopes"`
	Audiences []string `json:"audiences"`
	AccessTTL string   `json:"access_ttl"`
	Algorithm string   `json:"access_token_signing_alg,omitempty"`
	Disabled  bool     `json:"disabled"`
	// NoIntrospection is there where the client may not ask about tokens.
	NoIntrospection bool            `json:"no_introspection,omitempty"`
	AuthMethod      string          `json:"auth_method"` // client_secret or private_key_jwt
	JWKS            json.RawMessage `json:"jwks,omitempty"`
	CreatedAt       time.Time       `json:"created_at"`
	RotatedAt       *time.Time      `json:"rotated_at"`
	// OldSecretUntil is the end of the overlap of a rotation.
	OldSecretUntil *time.Time `json:"old_secret_expires_at,omitempty"`
	// Secret stands in the answer that makes it, and never again.
	Secret string `json:"secret,omitempty"`
}

func clientOf(c *store.Client, secret string) clientItem {
	list := func(l []string) []string { return append([]string{}, l...) } // [] and not null
	item := clientItem{
		ID: c.ID, Name: c.Name, Grants: list(c.Grants), Scopes: list(c.Scopes), Audiences: list(c.Audiences), AccessTTL: c.AccessTTL.String(),
		Algorithm: string(c.Algorithm), Disabled: c.Disabled, NoIntrospection: c.NoIntrospection, AuthMethod: "client_secret", JWKS: c.JWKS, CreatedAt: c.Created.UTC(), RotatedAt: timeOrNil(c.Rotated),
		OldSecretUntil: timeOrNil(c.OldUntil), Secret: secret,
	}
	if c.JWKS != nil {
		item.AuthMethod = "private_key_jwt"
	}
	return item
}

func (a *Admin) listClients(c echo.Context) error {
	if a.Clients == nil {
		return absent("clients")
	}
	most := 100
	if err := limit(c, &most); err != nil {
		return err
	}
	found, next, err := a.Clients.List(c.Request().Context(), most, c.QueryParam("cursor"))
	if err != nil {
		return atPlace(err, "cursor")
	}
	out := page[clientItem]{Items: []clientItem{}, Next: next}
	for _, each := range found {
		out.Items = append(out.Items, clientOf(each, ""))
	}
	return c.JSON(http.StatusOK, out)
}

func (a *Admin) addClient(c echo.Context) error {
	if a.Clients == nil {
		return absent("clients")
	}
	body, change, err := a.readClient(c)
	if err != nil {
		return err
	}
	if body.RotateSecret || body.Overlap != "" {
		return badBody("A new client has no secret yet to be rotated.")
	}
	ctx := c.Request().Context()
	if err := a.notAUser(ctx, body.ID); err != nil {
		return err
	}
	client := store.Client{ID: body.ID, JWKS: change.JWKS, Grants: []string{store.GrantClientCredentials}}
	set(&client.Name, change.Name)
	set(&client.Grants, change.Grants)
	set(&client.Scopes, change.Scopes)
	set(&client.Audiences, change.Audiences)
	set(&client.AccessTTL, change.AccessTTL)
	set(&client.Algorithm, change.Algorithm)
	set(&client.Disabled, change.Disabled)
	set(&client.NoIntrospection, change.NoIntrospection)
	added, secret, err := a.Clients.Add(ctx, client)
	if err != nil {
		return err
	}
	about(ctx, "client", added.ID)
	a.Log.Info("a client was added", "client_id", added.ID, "actor", actorOf(c))
	return c.JSON(http.StatusCreated, clientOf(added, secret))
}

// notAUser: a client and a user of one id would be one subject.
func (a *Admin) notAUser(ctx context.Context, id string) error {
	if id == "" || a.Users == nil {
		return nil
	}
	switch _, err := a.Users.ByID(ctx, id); {
	case err == nil:
		return &problem.Details{Status: http.StatusConflict, Code: "exists", Detail: "A user has that id: both would be the same subject."}
	case errors.Is(err, users.ErrNotFound):
		return nil
	default:
		return err
	}
}

// readClient reads a body, and what it says about a client.
func (a *Admin) readClient(c echo.Context) (clientBody, store.Change, error) {
	var body clientBody
	if err := read(c, &body); err != nil {
		return body, store.Change{}, err
	}
	if body.Name != nil {
		if err := legible(named{"name", *body.Name}); err != nil {
			return body, store.Change{}, err
		}
	}
	change, err := a.changeOf(&body)
	return body, change, err
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

func (a *Admin) changeClient(c echo.Context) error {
	if a.Clients == nil {
		return absent("clients")
	}
	body, change, err := a.readClient(c)
	if err != nil {
		return err
	}
	overlap := defaultOverlap
	if body.Overlap != "" {
		if overlap, err = time.ParseDuration(body.Overlap); err != nil {
			return badBody("The member overlap is a duration such as 24h.")
		}
	}
	switch {
	case body.ID != "":
		return badBody("The id of a client cannot be changed.")
	case body.RotateSecret && change.JWKS != nil:
		return badBody("A client has a secret or keys: rotate_secret and jwks exclude each other.")
	case body.Overlap != "" && !body.RotateSecret:
		return badBody("The member overlap is about rotate_secret.")
	}
	ctx, id := c.Request().Context(), param(c, "id")
	client, err := a.Clients.Change(ctx, id, change)
	if err != nil {
		return err
	}
	var secret string
	if body.RotateSecret {
		if client, secret, err = a.Clients.Rotate(ctx, id, overlap); err != nil {
			return err
		}
	}
	if client.Disabled && change.Disabled != nil {
		if err := a.endClient(ctx, id, "client disabled"); err != nil {
			return unsettled(err, "The client is disabled; whether its tokens are refused is not known.")
		}
	}
	a.Log.Info("a client was changed", "client_id", id, "rotated", body.RotateSecret, "disabled", client.Disabled, "actor", actorOf(c))
	return c.JSON(http.StatusOK, clientOf(client, secret))
}

// removeClient disables first, then ends the tokens, then forgets: whatever step
// fails, asking again goes on from there, and no token comes in between.
func (a *Admin) removeClient(c echo.Context) error {
	if a.Clients == nil {
		return absent("clients")
	}
	ctx, id := c.Request().Context(), param(c, "id")
	disabled := true
	if _, err := a.Clients.Change(ctx, id, store.Change{Disabled: &disabled}); err != nil {
		return err
	}
	if err := a.endClient(ctx, id, "client removed"); err != nil {
		return unsettled(err, "The client is disabled; whether its tokens are refused is not known.")
	}
	if err := a.Clients.Remove(ctx, id); err != nil {
		return err
	}
	a.Log.Info("a client was removed", "client_id", id, "actor", actorOf(c))
	return c.NoContent(http.StatusNoContent)
}

// endClient ends every token that speaks for a client, by one cut-off.
func (a *Admin) endClient(ctx context.Context, id, why string) error {
	_, err := a.Revocations.Revoke(ctx, revocation.Order{
		Kind: revocation.KindSubject, Issuer: a.Issuer, Value: id, Subject: id, Reason: why, Actor: actorFrom(ctx),
	})
	if err == nil {
		a.Metrics.Revoked(string(revocation.KindSubject), sourceFrom(ctx))
	}
	return err
}
