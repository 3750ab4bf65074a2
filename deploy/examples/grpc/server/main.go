package main

import (
	"flag"
	"log"
	"net"

	"google.golang.org/grpc"

	"tollgate/deploy/examples/grpc/echo"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:50051", "address")
	flag.Parse()
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	s := grpc.NewServer()
	s.RegisterService(&echo.Service, nil)
	log.Printf("serving %s on %s", echo.Service.ServiceName, l.Addr())
	log.Fatal(s.Serve(l))
}
