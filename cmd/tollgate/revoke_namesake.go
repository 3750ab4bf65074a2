package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
)

// tellNamesake warns whoever has given a user's name for the id: what was revoked stands,
// and the user is as before. It is asked after the revocation, which it must not delay,
// and says nothing where nobody can tell.
func (c *cli) tellNamesake(ctx context.Context, admin *adminClient, subject string) {
	var u userItem
	if err := admin.call(ctx, http.MethodGet, "/admin/v1/users/"+url.PathEscape(subject), nil, &u); err != nil || u.ID == "" || u.ID == subject {
		return
	}
	name, id := shownInTerminal(u.Username), shownInTerminal(u.ID)
	fmt.Fprintf(c.err, "warning: a subject is a user's id. The user named %s has the id %s and is not touched: tollgate revoke subject %s\n", name, id, id)
}
