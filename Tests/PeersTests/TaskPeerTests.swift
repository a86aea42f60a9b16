import Peers
import Testing

@Suite("Swift tasks as a peer") struct TaskPeerTests {
    @Test func asMuchIsDoneAsIsAskedFor() {
        TaskPeer.spawn(100)
        TaskPeer.yields(100)
        // The recursion gives what the same recursion on a stack gives.
        #expect(TaskPeer.descend(3, depth: 50) == 3 &* RequestHandler.handle(50) {})
    }

    @Test func tasksDescendSideBySide() {
        let descents = TaskPeer.Descents(10, depth: 200)
        #expect(descents.waiting == 10 && descents.ended == 0)
        descents.proceed()
        #expect(descents.waiting == 10 && descents.ended == 0)
        descents.proceed()
        #expect(descents.waiting == 0 && descents.ended == 10)
    }

    @Test func tasksWaitUntilTheyAreResumed() {
        let waiting = TaskPeer.suspend(100, depth: 5) {}
        #expect(waiting.count == 100)
        waiting.resume()
        #expect(waiting.count == 0)
    }
}
