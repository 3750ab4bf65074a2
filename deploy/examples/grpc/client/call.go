package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"tollgate/deploy/examples/grpc/echo"
)

// call makes the call that the arguments name and prints how it goes.
func call(ctx context.Context, conn *grpc.ClientConn, args []string) error {
	if len(args) == 0 {
		return errors.New("say TEXT, count N or chat")
	}
	switch args = append(args, ""); args[0] {
	case "say":
		return say(ctx, conn, args[1])
	case "count":
		n, err := strconv.ParseInt(args[1], 10, 32)
		if err != nil {
			return err
		}
		return count(ctx, conn, int32(n))
	case "chat":
		return chat(ctx, conn)
	}
	return fmt.Errorf("%q is none of say, count and chat", args[0])
}

func method(name string) string { return "/" + echo.Service.ServiceName + "/" + name }

func say(ctx context.Context, conn *grpc.ClientConn, text string) error {
	var header, trailer metadata.MD
	out := new(wrapperspb.StringValue)
	err := conn.Invoke(ctx, method("Say"), wrapperspb.String(text), out, grpc.Header(&header), grpc.Trailer(&trailer))
	if len(header) > 0 {
		show(map[string]any{"header": header})
	}
	if err == nil {
		show(map[string]any{"message": out.GetValue()})
	}
	end(err, trailer)
	return nil
}

func count(ctx context.Context, conn *grpc.ClientConn, n int32) error {
	s, err := conn.NewStream(ctx, &echo.Service.Streams[0], method("Count"))
	if err != nil {
		return err
	}
	// A failure to send shows as the stream's status, which receive reads.
	_ = s.SendMsg(wrapperspb.Int32(n))
	_ = s.CloseSend()
	receive(s, func() (any, error) {
		out := new(wrapperspb.Int32Value)
		err := s.RecvMsg(out)
		return out.GetValue(), err
	})
	return nil
}

func chat(ctx context.Context, conn *grpc.ClientConn) error {
	s, err := conn.NewStream(ctx, &echo.Service.Streams[1], method("Chat"))
	if err != nil {
		return err
	}
	go func() {
		lines := bufio.NewScanner(os.Stdin)
		for lines.Scan() {
			if s.SendMsg(wrapperspb.String(lines.Text())) != nil {
				return // the stream is over, and receive knows why
			}
		}
		_ = s.CloseSend()
	}()
	receive(s, func() (any, error) {
		out := new(wrapperspb.StringValue)
		err := s.RecvMsg(out)
		return out.GetValue(), err
	})
	return nil
}

// receive prints what comes until the stream ends.
func receive(s grpc.ClientStream, next func() (any, error)) {
	if header, err := s.Header(); err == nil && len(header) > 0 {
		show(map[string]any{"header": header})
	}
	for {
		message, err := next()
		if errors.Is(err, io.EOF) {
			err = nil
		} else if err == nil {
			show(map[string]any{"message": message})
			continue
		}
		end(err, s.Trailer())
		return
	}
}

func end(err error, trailer metadata.MD) {
	show(map[string]any{"status": status.Code(err).String(), "detail": status.Convert(err).Message(), "trailer": trailer})
}

func show(line map[string]any) {
	_ = json.NewEncoder(os.Stdout).Encode(line) // nobody is left to be told
}
