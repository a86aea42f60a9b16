package main

func foreign() string { return "none" }
