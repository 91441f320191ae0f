package main

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/producer"
)

// What each kind of scope costs: of each decision the calls, and how many of them come one
// after the other. Columns and rows have a filter for each table, which is read once and
// made by one call, and whose grants are read by one.
func TestScopesCost(t *testing.T) {
	t.Parallel()
	// As for whole tables, and one for making filters before anything is granted, and one for
	// deleting others after all is revoked. Of twenty tables not all are made at once.
	const most, most20 = 14, 24
	role := "arn:aws:iam::" + meshtest.ConsumerAccount + ":role/Admin"
	scopes := map[string]lakemesh.Scope{
		"columns": {Columns: []string{"id"}}, "rows": {Rows: "id > 100"}, "cells": {ExceptColumns: []string{"value"}, Rows: "id > 100"}, "role": {Principals: []string{role}},
		"unit": {},
	}
	for kind, scope := range scopes {
		for tables, most := range map[int]float64{1: most, 20: most20} {
			name := fmt.Sprintf("scope-%s-%d", kind, tables)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					c := began(t, meshtest.Accounts(t))
					c.load(tables, 0)
					p, asking := c.producer(), c.consumer()
					scope := scope
					if kind == "unit" {
						scope.Principals = []string{c.Organization(meshtest.ConsumerAccount).ARN}
						c.ResetCounts()
					}
					c.count("publish", c.publish(p))
					var id string
					c.count("request", func() error {
						out, err := asking.RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: meshtest.ProducerAccount,
							DatabaseName: "bench-" + meshtest.ProducerAccount, Tables: []string{"table_.*"}, RequestPermissions: []string{"SELECT"}, Scope: scope})
						if err == nil {
							id = out.SubscriptionID
						}
						return err
					})
					c.deep("approve", most, func() error { return p.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id}) })
					c.count("import", func() error {
						_, err := asking.FinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: id})
						return err
					})
					c.deep("same again", most, func() error {
						return p.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id})
					})
					c.deep("narrow", most, func() error {
						return p.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, Scope: producer.ScopeInput{Rows: aws.String("id > 1000")}})
					})
					c.deep("end", most, func() error { return p.DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: id}) })
					c.golden(name)
				})
			})
		}
	}
}
