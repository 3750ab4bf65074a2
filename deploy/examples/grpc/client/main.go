package main

import (
	"context"
	"flag"
	"log"
	"os"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "address of the gateway")
	ca := flag.String("ca", "", "file of certificates (PEM) that vouch for the gateway; empty: no TLS")
	timeout := flag.Duration("timeout", 0, "deadline of the call; 0: none")
	extra := flag.String("metadata", "", "one more piece of metadata, as name=value")
	flag.Parse()
	ctx := context.Background()
	if *timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, *timeout)
		defer cancel()
	}
	if name, value, given := strings.Cut(*extra, "="); given {
		ctx = metadata.AppendToOutgoingContext(ctx, name, value)
	}
	token := os.Getenv("ACCESS") //nolint:forbidigo // a program of its own: it has no cmd to read it
	conn, err := dial(*addr, *ca, token)
	if err != nil {
		log.Fatal(err)
	}
	if err := call(ctx, conn, flag.Args()); err != nil {
		log.Fatal(err)
	}
}

// dial returns a connection on which every call carries the token.
func dial(addr, ca, token string) (*grpc.ClientConn, error) {
	secure := insecure.NewCredentials()
	if ca != "" {
		var err error
		if secure, err = credentials.NewClientTLSFromFile(ca, ""); err != nil {
			return nil, err
		}
	}
	options := []grpc.DialOption{grpc.WithTransportCredentials(secure)}
	if token != "" {
		options = append(options, grpc.WithPerRPCCredentials(bearer{token, ca != ""}))
	}
	return grpc.NewClient(addr, options...)
}

// bearer is the access token as credentials of each call.
type bearer struct {
	token  string
	secure bool // over TLS alone
}

// GetRequestMetadata implements credentials.PerRPCCredentials.
func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + b.token}, nil
}

// RequireTransportSecurity implements credentials.PerRPCCredentials.
func (b bearer) RequireTransportSecurity() bool { return b.secure }
