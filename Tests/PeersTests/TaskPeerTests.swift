import Peers
import Testing

@Suite("Swift tasks as a peer") struct TaskPeerTests {
    @Test func asMuchIsDoneAsIsAskedFor() {
        TaskPeer.spawn(100)
        TaskPeer.yields(100)
        // The recursion gives what the same recursion on a stack gives.
        #expect(TaskPeer.descend(3, depth: 50) == 3 &* RequestHandler.handle(50) {})
    }

    @Test func tasksWaitUntilTheyAreResumed() {
        let waiting = TaskPeer.suspend(100, depth: 5) {}
        #expect(waiting.count == 100)
        waiting.resume()
        #expect(waiting.count == 0)
    }
}
