// SQLite: a database in a temporary file, its parser and code generator on deep expressions, a recursive query of
// 100,000 rows, a sort that spills, full-text search.
#include "ForeignCode.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Sums are a deep tree of which the parser's stack, of 100 entries, holds little; calls take several entries each.
enum { SUM_DEPTH = 900, CALL_DEPTH = 20, ROWS = 100000, DOCUMENTS = 2000 };

typedef struct database {
    sqlite3 *handle;
    char path[64];
} database;

static _Noreturn void fail(database *database, const char *what) {
    fprintf(stderr, "SQLite: %s: %.60s\n", sqlite3_errmsg(database->handle), what);
    abort();
}

static void execute(database *database, const char *statement) {
    if (sqlite3_exec(database->handle, statement, NULL, NULL, NULL) != SQLITE_OK) fail(database, statement);
}

// The first column of every row, as one number that depends on the order.
static long long fingerprint(database *database, const char *query) {
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(database->handle, query, -1, &statement, NULL) != SQLITE_OK) fail(database, query);
    unsigned long long sum = 0;
    int result;
    while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
        const unsigned char *column = sqlite3_column_text(statement, 0);
        for (; column && *column; column++) sum = sum * 31 + *column;
        sum = sum * 31 + '\n';
    }
    if (result != SQLITE_DONE) fail(database, query);
    sqlite3_finalize(statement);
    return (long long)sum;
}

static void open_database(fc_job *job) {
    database *made = calloc(1, sizeof *made);
    if (!made) abort();
    strcpy(made->path, "/tmp/faultline-foreign-XXXXXX");
    int file = mkstemp(made->path);
    if (file < 0) abort();
    close(file);
    if (sqlite3_open(made->path, &made->handle) != SQLITE_OK) fail(made, "open");
    job->state = made;
}

static void fill(fc_job *job) {
    char statement[512];
    snprintf(statement, sizeof statement,
             "PRAGMA cache_size = 64; PRAGMA temp_store = FILE; CREATE TABLE t (a INTEGER, b TEXT);"
             "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
             "INSERT INTO t SELECT (i * 7919 + %u) %% 65537, printf('%%08x-%%d', i * 2654435761, i) FROM n;"
             "CREATE INDEX ta ON t (a)",
             ROWS, job->seed);
    execute(job->state, statement);
}

// a + 1 + 1 …, and nested calls: the code generator and the walkers of the tree recurse.
static char *deep_expression(int depth, const char *begin, const char *end) {
    size_t length = (size_t)depth * (strlen(begin) + strlen(end)) + 64;
    char *text = malloc(length), *at = text;
    if (!text) abort();
    at = stpcpy(at, "SELECT ");
    for (int i = 0; i < depth; i++) at = stpcpy(at, begin);
    at = stpcpy(at, "a");
    for (int i = 0; i < depth; i++) at = stpcpy(at, end);
    strcpy(at, " FROM t WHERE rowid < 50");
    return text;
}

bool fc_sqlite(fc_job *job) {
    switch (job->step++) {
    case 0: open_database(job); return true;
    case 1: fill(job); return true;
    case 2: {
        char *sum = deep_expression(SUM_DEPTH, "", " + 1"), *calls = deep_expression(CALL_DEPTH, "abs(-", ")");
        fc_note(job, "sum %llx\n", fingerprint(job->state, sum));
        fc_note(job, "calls %llx\n", fingerprint(job->state, calls));
        free(sum);
        free(calls);
        return true;
    }
    case 3:
        fc_note(job, "recursion %llx\n",
                fingerprint(job->state, "WITH RECURSIVE n(i, s) AS (VALUES(1, 1) UNION ALL SELECT i + 1, (s * 31 + i) "
                                        "% 1000003 FROM n WHERE i < 100000) SELECT s FROM n"));
        return true;
    case 4:
        fc_note(job, "sort %llx\n", fingerprint(job->state, "SELECT b FROM t ORDER BY substr(b, 5), b DESC"));
        fc_note(job, "join %llx\n",
                fingerprint(job->state, "SELECT x.b || y.a FROM t x JOIN t y ON x.a = y.a AND x.rowid < y.rowid "
                                        "WHERE x.rowid < 2000 ORDER BY x.rowid, y.rowid"));
        return true;
    case 5: {
        if (!sqlite3_compileoption_used("ENABLE_FTS5")) {
            fc_note(job, "no full-text search\n");
            return true;
        }
        char statement[256];
        snprintf(statement, sizeof statement,
                 "CREATE VIRTUAL TABLE d USING fts5(body);"
                 "INSERT INTO d SELECT b || ' word' || (a %% 17) || ' ' || replace(b, '-', ' ') FROM t LIMIT %d",
                 DOCUMENTS);
        execute(job->state, statement);
        fc_note(job, "search %llx\n",
                fingerprint(job->state, "SELECT body FROM d WHERE d MATCH 'word3 OR word5' ORDER BY rank, rowid"));
        return true;
    }
    default: {
        database *database = job->state;
        fc_note(job, "check %llx\n", fingerprint(database, "PRAGMA integrity_check"));
        if (sqlite3_close(database->handle) != SQLITE_OK) fail(database, "close");
        unlink(database->path);
        free(database);
        return false;
    }
    }
}
