package main

import (
	"tollgate/internal/ratelimit"
	"tollgate/issuer"
)

// account wires what an issuer does for a user's own account: passwords, the rate of
// log-ins, and cookies.
func (a *app) account(i *issuer.Config) {
	c := a.config
	if a.users != nil { // elsewhere passwords are not ours to change
		i.ChangePassword, i.ChangeAtLogin = a.users.ChangePassword, a.users.ChangeAtLogin
	}
	i.ResponseUserFields = c.Tokens.ResponseFields.Value
	// The client with the short timeouts: while Redis hangs, one attempt a second
	// waits for it and the others are counted here.
	i.Limiter, i.LoginRate = ratelimit.NewRedis(a.redis.Hot, c.Redis.Prefix.Value), c.Login.Rate.Value
	if c.Login.LastLogin.Value && a.users != nil {
		i.RecordLogin = a.users.RecordLogin
	}
	i.Cookies = c.cookies()
}
