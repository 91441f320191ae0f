// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTimeToLive.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeTimeToLive.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateContinuousBackups.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeContinuousBackups.html

package dynamodb

import (
	"errors"
	"time"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
)

func settingOperations() []engine.Operation {
	return []engine.Operation{
		engine.Op("UpdateTimeToLive", engine.Write, docs+"UpdateTimeToLive.html",
			"IAM on the table; items are removed two days after their time (AWS: within a few days), with a record of the service in the stream; until then they are read.", updateTimeToLive),
		engine.Op("DescribeTimeToLive", engine.Read, docs+"DescribeTimeToLive.html", "IAM on the table.", describeTimeToLive),
		engine.Op("UpdateContinuousBackups", engine.Write, docs+"UpdateContinuousBackups.html",
			"IAM on the table; not while it is being made; the setting is kept, nothing can be restored.", updateContinuousBackups),
		engine.Op("DescribeContinuousBackups", engine.Read, docs+"DescribeContinuousBackups.html", "IAM on the table.",
			describeContinuousBackups),
	}
}

type timeToLive struct {
	Enabled       bool
	AttributeName string
}

type updateTimeToLiveInput struct {
	TableName               *string
	TimeToLiveSpecification *timeToLive
}

type updateTimeToLiveOutput struct {
	TimeToLiveSpecification *timeToLive
}

func updateTimeToLive(c *engine.Call, in *updateTimeToLiveInput) (*updateTimeToLiveOutput, error) {
	t, err := open(c, "UpdateTimeToLive", in.TableName, noSuchNamedTable)
	if err != nil {
		return nil, err
	}
	if err := t.settled(c); err != nil {
		return nil, err
	}
	s := in.TimeToLiveSpecification
	switch {
	case s == nil:
		return nil, broken("null", "timeToLiveSpecification", "Member must not be null")
	case s.AttributeName == "":
		return nil, broken("null", "timeToLiveSpecification.attributeName", "Member must not be null")
	case s.Enabled && t.TTL != "":
		return nil, invalid("TimeToLive is already enabled")
	case !s.Enabled && t.TTL == "":
		return nil, invalid("TimeToLive is already disabled")
	case !s.Enabled && t.TTL != s.AttributeName:
		return nil, invalid("TimeToLive is active on a different AttributeName: current AttributeName is %s", t.TTL)
	}
	t.TTL = ""
	if s.Enabled {
		t.TTL = s.AttributeName
	}
	if err := t.expireAll(c); err != nil {
		return nil, err
	}
	return &updateTimeToLiveOutput{s}, t.save(c.Tx)
}

type timeToLiveDescription struct {
	TimeToLiveStatus enum
	AttributeName    *string
}

type describeTimeToLiveOutput struct {
	TimeToLiveDescription timeToLiveDescription
}

func describeTimeToLive(c *engine.Call, in *tableNameInput) (*describeTimeToLiveOutput, error) {
	t, err := open(c, "DescribeTimeToLive", in.TableName, noSuchNamedTable)
	if err != nil {
		return nil, err
	}
	out := &describeTimeToLiveOutput{timeToLiveDescription{TimeToLiveStatus: "DISABLED"}}
	if t.TTL != "" {
		out.TimeToLiveDescription = timeToLiveDescription{"ENABLED", &t.TTL}
	}
	return out, nil
}

type pointInTimeRecovery struct {
	PointInTimeRecoveryEnabled bool
	RecoveryPeriodInDays       *int
}

// recovery is that a table can be recovered, since when and for how many days back.
type recovery struct {
	Since time.Time
	Days  int
}

// mostRecovery is for how many days back a table can be recovered at most, and without
// another word
// (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PointInTimeRecoverySpecification.html).
const mostRecovery = 35

type updateContinuousBackupsInput struct {
	TableName                        *string
	PointInTimeRecoverySpecification *pointInTimeRecovery
}

type continuousBackups struct {
	ContinuousBackupsStatus        enum
	PointInTimeRecoveryDescription recoveryDescription
}

type recoveryDescription struct {
	PointInTimeRecoveryStatus                            enum
	EarliestRestorableDateTime, LatestRestorableDateTime time.Time
	RecoveryPeriodInDays                                 *int
}

type continuousBackupsOutput struct {
	ContinuousBackupsDescription continuousBackups
}

// noSuchBackupTable is how the operations on backups say that there is no table.
const noSuchBackupTable = "Table not found: %s"

func updateContinuousBackups(c *engine.Call, in *updateContinuousBackupsInput) (*continuousBackupsOutput, error) {
	t, err := openForBackups(c, "UpdateContinuousBackups", in.TableName)
	if err != nil {
		return nil, err
	}
	if in.PointInTimeRecoverySpecification == nil {
		return nil, broken("null", "pointInTimeRecoverySpecification", "Member must not be null")
	}
	if t.ref().creating(c) || c.Settling(t.ref().backingUp()) {
		return nil, engine.Errorf("ContinuousBackupsUnavailableException", "Backups are being enabled for the table: %s. Please retry later", t.Name)
	}
	wanted := in.PointInTimeRecoverySpecification
	days := mostRecovery
	if wanted.RecoveryPeriodInDays != nil {
		if days = *wanted.RecoveryPeriodInDays; days < 1 || days > mostRecovery {
			return nil, engine.Errorf(validation, "RecoveryPeriodInDays must be between 1 and %d", mostRecovery)
		}
	}
	switch {
	case !wanted.PointInTimeRecoveryEnabled:
		t.Recovery = nil
	case t.Recovery == nil:
		t.Recovery = &recovery{Since: c.Now, Days: days}
	default:
		t.Recovery.Days = days
	}
	return t.continuousBackups(c), t.save(c.Tx)
}

func describeContinuousBackups(c *engine.Call, in *tableNameInput) (*continuousBackupsOutput, error) {
	t, err := openForBackups(c, "DescribeContinuousBackups", in.TableName)
	if err != nil {
		return nil, err
	}
	return t.continuousBackups(c), nil
}

func openForBackups(c *engine.Call, action string, name *string) (*table, error) {
	t, err := open(c, action, name, noSuchBackupTable)
	var refused *engine.APIError
	if errors.As(err, &refused) && refused.Code == notFound {
		// These operations have a code of their own for it.
		return nil, engine.Errorf("TableNotFoundException", "%s", refused.Message)
	}
	return t, err
}

func (t *table) continuousBackups(c *engine.Call) *continuousBackupsOutput {
	d := recoveryDescription{PointInTimeRecoveryStatus: "DISABLED"}
	if r := t.Recovery; r != nil {
		earliest := c.Now.AddDate(0, 0, -r.Days)
		if earliest.Before(r.Since) {
			earliest = r.Since
		}
		d = recoveryDescription{"ENABLED", earliest, c.Now, &r.Days}
	}
	return &continuousBackupsOutput{continuousBackups{"ENABLED", d}}
}
