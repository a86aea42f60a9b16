package main

// The record of the goroutine.
func record() *[3]uintptr

func foreign() string { return "none" }

func foreignOverflow(where string) {}

func foreignCalls() {}
