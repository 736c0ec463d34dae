package churn;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import java.io.IOException;
import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * A Kafka Streams program: per event a customer's moving average in a state store, and a step of an online logistic regression.
 * Arguments: servers, group, state folder, events to work on, topics separated by commas, and `memory` where the state store
 * should be in memory and not, as is the default, in RocksDB. Prints one JSON object at the end.
 */
public final class Peer {
    private static final String AVERAGES = "averages";

    /** What is read of an event; numbers that it does not have are 0. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    public static final class Event {
        public String type;
        public String customer_id;
        public double mb;
        public double seconds;
        public double amount;
        public double count;
    }

    /** Online logistic regression by stochastic gradient descent, as River's: rate 0.01, squared features none. */
    static final class Regression {
        private double intercept;
        private double ofValue;
        private double ofRatio;

        double learn(double value, double ratio, boolean low) {
            double odds = intercept + ofValue * value + ofRatio * ratio;
            double probability = 1 / (1 + Math.exp(-odds));
            double step = 0.01 * (probability - (low ? 1 : 0));
            intercept -= step;
            ofValue -= step * value;
            ofRatio -= step * ratio;
            return probability;
        }
    }

    /** The job of every peer here (benchmarks/peers/job.py). */
    static final class Scorer implements Processor<String, byte[], Void, Void> {
        private final ObjectReader reader = new ObjectMapper().readerFor(Event.class);
        private final Regression regression = new Regression();
        private final Meter meter;
        private KeyValueStore<String, Double> averages;

        Scorer(Meter meter) {
            this.meter = meter;
        }

        @Override
        public void init(ProcessorContext<Void, Void> context) {
            averages = context.getStateStore(AVERAGES);
        }

        @Override
        public void process(Record<String, byte[]> record) {
            Event event;
            try {
                event = reader.readValue(record.value());
            } catch (IOException error) {
                throw new IllegalStateException(error);
            }
            double value = Math.log1p(Math.abs(event.mb + event.seconds + event.amount + event.count));
            Double known = averages.get(event.customer_id);
            double before = known == null ? value : known;
            averages.put(event.customer_id, before + 0.1 * (value - before));
            regression.learn(value, before == 0 ? 1 : value / before, value < 0.5 * before);
            meter.count();
        }
    }

    /** Events between a tenth and the last, and how long they took. */
    static final class Meter {
        private final long wanted;
        private long events;
        private long since;
        private long spent;

        Meter(long wanted) {
            this.wanted = wanted;
        }

        void count() {
            events++;
            if (events == wanted / 10) {
                since = System.nanoTime();
                spent = cpu();
            }
            if (events == wanted) {
                double seconds = (System.nanoTime() - since) / 1e9;
                System.out.printf(
                        "{\"events\": %d, \"seconds\": %.6f, \"cpu\": %.6f}%n",
                        wanted - wanted / 10, seconds, (cpu() - spent) / 1e9);
                System.out.flush();
                Runtime.getRuntime().halt(0);
            }
        }
    }

    /** Nanoseconds of processor time of this process. */
    private static long cpu() {
        return ProcessHandle.current().info().totalCpuDuration().orElse(Duration.ZERO).toNanos();
    }

    private Peer() {}

    /** Runs until the events are worked on. */
    public static void main(String[] given) {
        Meter meter = new Meter(Long.parseLong(given[3]));
        Properties settings = new Properties();
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, given[0]);
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, given[1]);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, given[2]);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        settings.put("auto.offset.reset", "earliest");
        KeyValueBytesStoreSupplier store = given.length > 5 && given[5].equals("memory")
                ? Stores.inMemoryKeyValueStore(AVERAGES)
                : Stores.persistentKeyValueStore(AVERAGES);
        Topology topology = new Topology();
        topology.addSource("events", Serdes.String().deserializer(), Serdes.ByteArray().deserializer(), given[4].split(","));
        topology.addProcessor("scorer", () -> new Scorer(meter), "events");
        topology.addStateStore(
                Stores.keyValueStoreBuilder(store, Serdes.String(), Serdes.Double()).withCachingEnabled(),
                "scorer");
        new KafkaStreams(topology, settings).start();
    }
}
