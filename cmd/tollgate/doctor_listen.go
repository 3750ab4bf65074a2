package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
)

// listeners looks whether the addresses are free, or taken by this very server.
func (d *doctor) listeners(ctx context.Context) {
	d.look("listeners")
	l := d.config.Listeners
	listens := []struct{ name, address string }{{"TOLLGATE_LISTEN", l.Listen.Value}, {"TOLLGATE_OPS_LISTEN", l.OpsListen.Value}}
	if d.config.adminOn() {
		listens = append(listens, struct{ name, address string }{"TOLLGATE_ADMIN_LISTEN", l.AdminListen.Value})
	}
	running := d.running(ctx)
	for _, one := range listens {
		if one.address == "" || strings.HasSuffix(one.address, ":0") {
			continue
		}
		if err := tryListen(ctx, one.address); err != nil && !(running && errors.Is(err, syscall.EADDRINUSE)) {
			d.add(d.cannotListen(one.name, one.address, err))
		}
	}
}

// tryListen opens an address for a moment.
func tryListen(ctx context.Context, address string) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return l.Close()
}

func (d *doctor) cannotListen(name, address string, err error) finding {
	f := finding{Level: levelError, Check: "listeners.address", Where: name, Meaning: "the server does not start"}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		f.Found = address + " is taken by another program"
		f.Do = "end that program, or choose another address (to see who it is: ss -ltnp)"
		if d.config.Listeners.OpsListen.Value == "" {
			f.Level, f.Found = levelWarning, address+" is taken"
			f.Meaning = "if it is not by this very server, which cannot be asked without TOLLGATE_OPS_LISTEN, it does not start"
		}
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		f.Found = address + " is no address of this machine"
		f.Do = "choose one that it has, or leave the host away for all"
	case errors.Is(err, syscall.EACCES):
		f.Found = address + " may not be opened by this user"
		f.Do = "choose a port from 1024 on, or give the binary the capability (setcap cap_net_bind_service=+ep)"
	default:
		f.Found = address + " cannot be opened: " + bareListen(err)
		f.Do = "choose another address"
	}
	return f
}

// bareListen leaves out what a finding says anyway.
func bareListen(err error) string {
	if at, ok := errors.AsType[*net.OpError](err); ok {
		return at.Err.Error()
	}
	return err.Error()
}

// running reports whether this server answers at its ops listener.
func (d *doctor) running(ctx context.Context) bool {
	address, err := dialable(d.config.Listeners.OpsListen.Value)
	if err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/livez", nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer func() { _ = res.Body.Close() }()
	return res.StatusCode == http.StatusOK
}

// dialable is where a listener's address can be reached from this machine.
func dialable(listen string) (string, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", err
	}
	if host == "" || host == "0.0.0.0" || host == "::" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port), nil
}
