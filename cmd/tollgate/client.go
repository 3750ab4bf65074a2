package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
	"unicode"
)

// adminClient speaks to the admin API of a running system.
type adminClient struct {
	base   string
	token  string
	http   *http.Client
	public bool // base is of the public listener
}

const adminTokenVariable = "TOLLGATE_ADMIN_TOKEN" //nolint:gosec // the name of a variable, not a secret

// admin returns the client for --server with the token of the environment.
func (c *cli) admin() (*adminClient, error) {
	base, err := url.Parse(c.server)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return nil, exitWith(exitUsage, "--server is a URL such as http://127.0.0.1:8081")
	}
	if base.User != nil {
		return nil, exitWith(exitUsage, "--server has a user or a password in it: the admin API takes %s alone", adminTokenVariable)
	}
	token, err := adminToken()
	if err != nil {
		return nil, err
	}
	return &adminClient{
		base: strings.TrimSuffix(c.server, "/"), token: token,
		http: &http.Client{Timeout: 15 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}, nil
}

func adminToken() (string, error) {
	value, file := os.Getenv(adminTokenVariable), os.Getenv(adminTokenVariable+"_FILE")
	switch {
	case value != "" && file != "":
		return "", exitWith(exitUsage, "%s and %s_FILE are both set: set one", adminTokenVariable, adminTokenVariable)
	case file != "":
		text, err := os.ReadFile(file)
		if err != nil {
			return "", exitWith(exitUsage, "%s_FILE cannot be read: %w", adminTokenVariable, err)
		}
		value = strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
	}
	if strings.ContainsFunc(value, unicode.IsControl) {
		return "", exitWith(exitUsage, "the admin token of %s or %s_FILE has a line break or another control character in it", adminTokenVariable, adminTokenVariable)
	}
	if value == "" {
		return "", exitWith(exitUnauthorised, "no admin token: set %s or %s_FILE to that of the server", adminTokenVariable, adminTokenVariable)
	}
	return value, nil
}

// call sends one request and decodes the answer into out, where out is not nil.
func (a *adminClient) call(ctx context.Context, method, path string, body, out any) error {
	var payload io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return exitWith(exitUsage, "%w", err)
		}
		payload = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, method, a.base+path, payload)
	if err != nil {
		return exitWith(exitUsage, "%w", err)
	}
	req.Header.Set("Authorization", "Bearer "+a.token)
	req.Header.Set("Content-Type", "application/json")
	res, err := a.http.Do(req)
	if err != nil {
		return a.unanswered(ctx, method, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 16<<20))
	switch {
	case err != nil && ctx.Err() != nil:
		return a.unanswered(ctx, method, err)
	case err != nil:
		return exitWith(exitUnreachable, "the answer of %s broke off: %w", a.base, err)
	}
	if res.StatusCode/100 != 2 {
		return problemError(res, text)
	}
	if out == nil || len(text) == 0 {
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return exitWith(exitRefused, "%s gave an answer that is not the admin API's: %w", a.base, err)
	}
	return nil
}

// unanswered says why there is no answer. To have been interrupted is no fault of the
// server, and says nothing of what it has done.
func (a *adminClient) unanswered(ctx context.Context, method string, err error) error {
	var named *url.Error
	if errors.As(err, &named) {
		err = named.Err
	}
	switch {
	case ctx.Err() != nil && method == http.MethodGet:
		return exitWith(exitRefused, "interrupted")
	case ctx.Err() != nil:
		return exitWith(exitRefused, "interrupted: whether it was done is not known")
	case a.public:
		return exitWith(exitUnreachable, "%s cannot be reached: %w (is the server running, and is --url its TOLLGATE_LISTEN?)", a.base, err)
	}
	return exitWith(exitUnreachable, "the admin API at %s cannot be reached: %w (is the server running, and is --server its TOLLGATE_ADMIN_LISTEN?)", a.base, err)
}

// problemError turns a refusal into an error with its exit code.
func problemError(res *http.Response, text []byte) error {
	var p struct{ Title, Detail, Code string }
	_ = json.Unmarshal(text, &p) // another server's page has no detail: the status must do
	message := p.Detail
	if message == "" {
		message = res.Status
	}
	switch res.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		return exitWith(exitUnauthorised, "not authorised: %s", message)
	case http.StatusNotFound:
		return exitWith(exitNotFound, "not found: %s", message)
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		if p.Code == "not_a_token" { // what is not valid is the token, not the command
			return exitWith(exitRefused, "%s", message)
		}
		return exitWith(exitUsage, "%s", message)
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return exitWith(exitUnreachable, "%s", message)
	}
	return exitWith(exitRefused, "%s", message)
}

// list reads every page of a list. Nothing is an empty list, not nil: [] in JSON.
func list[T any](ctx context.Context, a *adminClient, path string, query url.Values) ([]T, error) {
	all := []T{}
	for {
		var p struct {
			Items []T    `json:"items"`
			Next  string `json:"next"`
		}
		target := path
		if len(query) > 0 {
			target += "?" + query.Encode()
		}
		if err := a.call(ctx, http.MethodGet, target, nil, &p); err != nil {
			return nil, err
		}
		all = append(all, p.Items...)
		if p.Next == "" {
			return all, nil
		}
		if query == nil {
			query = url.Values{}
		}
		query.Set("cursor", p.Next)
	}
}

// confirm asks before something that cannot be taken back. Without a terminal
// only --yes will do; nothing is done then and the plan is what was shown.
func (c *cli) confirm(yes bool, plan string) error {
	if yes {
		return nil
	}
	fmt.Fprintln(c.err, plan)
	if !c.asks() {
		return exitWith(exitUsage, "nothing was done: add --yes to do it")
	}
	fmt.Fprint(c.err, "Go on? [y/N] ")
	var answer string
	if _, err := fmt.Fscanln(c.in, &answer); errors.Is(err, errInterrupted) {
		fmt.Fprintln(c.err) // the question has no line break
		return err
	}
	if answer = strings.ToLower(answer); answer != "y" && answer != "yes" {
		return exitWith(exitRefused, "nothing was done")
	}
	return nil
}
