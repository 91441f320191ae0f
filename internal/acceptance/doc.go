// Package acceptance holds tests across the personas: a mesh in process, with
// producers and consumers who work on it as they would on AWS, and others who try
// what they may not. One file is one theme.
package acceptance
