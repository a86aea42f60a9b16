// Java's virtual threads as a baseline: reads a line "operation count" and answers with nanoseconds and how often it was
// done. Compiled for a Java that need not have them.

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ThreadFactory;

final class VirtualThreads {
    /** Operations before the first that is timed: what is compiled at run time must be by then. */
    private static final long WARM_UP = 20_000;

    private final ThreadFactory factory;
    private final Set<String> warm = new HashSet<>();
    // All threads that use these share one carrier, or hand over by a join.
    private long done;
    private long took;

    private VirtualThreads() throws ReflectiveOperationException {
        Object builder = Thread.class.getMethod("ofVirtual").invoke(null);
        factory = (ThreadFactory) Class.forName("java.lang.Thread$Builder").getMethod("factory").invoke(builder);
    }

    /** A virtual thread and another yield in turn; a round trip is a turn of the other. */
    private void roundTrips(long count) {
        Thread other = factory.newThread(() -> {
            while (done < count) {
                done++;
                Thread.yield();
            }
        });
        long began = System.nanoTime();
        other.start();
        while (done < count) Thread.yield();
        took = System.nanoTime() - began;
        join(other);
    }

    private void spawn(long count) {
        long began = System.nanoTime();
        for (long i = 0; i < count; i++) {
            Thread other = factory.newThread(() -> done++);
            other.start();
            join(other);
        }
        took = System.nanoTime() - began;
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException interruption) {
            throw new IllegalStateException(interruption);
        }
    }

    private void perform(String operation, long count) {
        done = 0;
        Runnable body = operation.equals("spawn") ? () -> spawn(count) : () -> roundTrips(count);
        Thread first = factory.newThread(body);
        first.start();
        join(first);
    }

    private String answer(String[] words) {
        if (words.length == 1 && words[0].equals("version")) return "java " + System.getProperty("java.version");
        boolean isKnown = words[0].equals("spawn") || words[0].equals("round-trip");
        if (words.length != 2 || !isKnown || !words[1].matches("\\d{1,18}")) {
            return "error: a request is: version, or an operation of this program and a count";
        }
        if (warm.add(words[0])) perform(words[0], WARM_UP);
        perform(words[0], Long.parseLong(words[1]));
        return took + " " + done;
    }

    public static void main(String[] arguments) throws Exception {
        VirtualThreads peer = new VirtualThreads();
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            System.out.println(peer.answer(line.trim().split(" ")));
        }
    }
}
