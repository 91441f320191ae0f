package scheduler

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

const (
	maxName        = 64
	maxDescription = 512
	maxTimezone    = 50
	// defaultGroup is there in each account and Region.
	defaultGroup = "default"
	// pageSize is how many a page has at most, and without MaxResults.
	pageSize = 100
)

var (
	namePattern  = regexp.MustCompile(`^[0-9a-zA-Z-_.]+$`)
	tokenPattern = regexp.MustCompile(`^[a-zA-Z0-9-_]+$`)
)

func invalid(format string, args ...any) error {
	return engine.Errorf("ValidationException", format, args...)
}

// constraint is the error of a member that breaks the service's model.
func constraint(member, value, rule string) error {
	return invalid("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must %s", short(value), member, rule)
}

func null(member string) error {
	return invalid("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", member)
}

func outOf(member string, n, least, most int32) error {
	return constraint(member, fmt.Sprint(n), fmt.Sprintf("have value between %d and %d", least, most))
}

// short is a value as errors show it.
func short(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}

func notFound(format string, args ...any) error {
	return engine.Errorf("ResourceNotFoundException", format, args...).WithStatus(http.StatusNotFound)
}

func conflict(format string, args ...any) error {
	return engine.Errorf("ConflictException", format, args...).WithStatus(http.StatusConflict)
}

func noGroup(name string) error { return notFound("Schedule group %s does not exist.", name) }

// named checks a name of a schedule, of a group, or of their beginning.
func named(member string, given *string) (string, error) {
	if given == nil {
		return "", null(member)
	}
	switch name := *given; {
	case len(name) < 1 || len(name) > maxName:
		return "", constraint(member, name, "have length between 1 and 64")
	case !namePattern.MatchString(name):
		return "", constraint(member, name, "satisfy regular expression pattern: "+namePattern.String())
	default:
		return name, nil
	}
}

// groupOf is the name of the group that is meant.
func groupOf(given *string) (string, error) {
	if given == nil {
		return defaultGroup, nil
	}
	return named("groupName", given)
}

// checkToken checks a client token.
func checkToken(token *string) error {
	if token == nil {
		return nil
	}
	if len(*token) > 64 || !tokenPattern.MatchString(*token) {
		return constraint("clientToken", *token, "have length between 1 and 64 and satisfy regular expression pattern: "+tokenPattern.String())
	}
	return nil
}

// once runs an operation unless the same request with the same client token was
// answered already, and gives that answer then. The same token with another request is
// refused. (How long a token counts is not documented.)
func once(c *engine.Call, token *string, request any, do func() (answer string, err error)) (string, error) {
	if token == nil {
		return do()
	}
	data, err := json.Marshal(request)
	if err != nil {
		return "", fmt.Errorf("request with a client token: %w", err)
	}
	key := []string{c.Account(), c.Region, c.Operation, *token}
	known, ok, err := state.ScheduleTokens.Get(c.Tx, key...)
	if err != nil {
		return "", err
	}
	if ok {
		if known.Request != string(data) {
			return "", conflict("The request has the same client token as a previous request, but the requests are not the same.")
		}
		return known.Answer, nil
	}
	answer, err := do()
	if err != nil {
		return "", err
	}
	return answer, state.PutScheduleToken(c.Tx, state.ScheduleToken{Request: string(data), Answer: answer, Made: c.Now}, key...)
}

// page checks what a listing is asked for: how many, and behind which key.
func page(most *int32, prefix, token *string) (size int, after string, err error) {
	size = pageSize
	if most != nil {
		if *most < 1 || *most > pageSize {
			return 0, "", outOf("maxResults", *most, 1, pageSize)
		}
		size = int(*most)
	}
	if prefix != nil {
		if _, err := named("namePrefix", prefix); err != nil {
			return 0, "", err
		}
	}
	if after, err = engine.FromToken(token); err != nil {
		return 0, "", invalid("Invalid next token %s.", short(aws.ToString(token)))
	}
	return size, after, nil
}
