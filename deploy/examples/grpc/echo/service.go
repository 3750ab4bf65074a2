package echo

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// Metadata that every call answers with: the caller before the first message,
// the number of messages after the last.
const (
	User     = "echo-user"
	Messages = "echo-messages"
)

// Service is registered with a server. Its messages are wrappers that protobuf
// brings along, so that nothing here is generated.
var Service = grpc.ServiceDesc{
	ServiceName: "echo.v1.Echo",
	HandlerType: (*any)(nil),
	Metadata:    "echo.proto",
	Methods: []grpc.MethodDesc{{MethodName: "Say", Handler: func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		in := new(wrapperspb.StringValue)
		if err := decode(in); err != nil {
			return nil, err
		}
		return say(ctx, in)
	}}},
	Streams: []grpc.StreamDesc{
		{StreamName: "Count", ServerStreams: true, Handler: func(_ any, s grpc.ServerStream) error { return count(s) }},
		{StreamName: "Chat", ServerStreams: true, ClientStreams: true, Handler: func(_ any, s grpc.ServerStream) error { return chat(s) }},
	},
}

// Tick is the time between two messages of a count that never ends.
const Tick = 50 * time.Millisecond

func say(ctx context.Context, in *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
	_ = grpc.SetHeader(ctx, caller(ctx)) // fails only after the header was sent
	_ = grpc.SetTrailer(ctx, metadata.Pairs(Messages, "1"))
	return in, refused(in)
}

// refused is the error that a text asks for.
func refused(in *wrapperspb.StringValue) error {
	if reason, found := strings.CutPrefix(in.GetValue(), "fail "); found {
		return status.Error(codes.FailedPrecondition, reason)
	}
	return nil
}

func count(s grpc.ServerStream) error {
	in := new(wrapperspb.Int32Value)
	if err := s.RecvMsg(in); err != nil {
		return err
	}
	if err := s.SendHeader(caller(s.Context())); err != nil {
		return err
	}
	s.SetTrailer(metadata.Pairs(Messages, "all"))
	for n := int32(1); in.GetValue() == 0 || n <= in.GetValue(); n++ {
		if err := s.SendMsg(wrapperspb.Int32(n)); err != nil {
			return err
		}
		if in.GetValue() > 0 {
			continue
		}
		select {
		case <-s.Context().Done():
			return s.Context().Err()
		case <-time.After(Tick):
		}
	}
	return nil
}

func chat(s grpc.ServerStream) error {
	if err := s.SendHeader(caller(s.Context())); err != nil {
		return err
	}
	s.SetTrailer(metadata.Pairs(Messages, "all"))
	for {
		in := new(wrapperspb.StringValue)
		if err := s.RecvMsg(in); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := refused(in); err != nil {
			return err
		}
		if err := s.SendMsg(in); err != nil {
			return err
		}
	}
}

// caller is who calls, as the gateway says.
func caller(ctx context.Context) metadata.MD {
	return metadata.Pairs(User, strings.Join(metadata.ValueFromIncomingContext(ctx, "x-user-id"), " "))
}
