// Package enrolment reads the file in which the accounts of a mesh stand, for the command
// "account apply". Everything that is wrong with it is told with its line, before anything
// is done.
package enrolment
