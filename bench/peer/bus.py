"""The peer's broker and database, from the environment."""

import os

from faststream.rabbit import Channel, QueueType, RabbitBroker, RabbitQueue
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

QUEUE = RabbitQueue("permits", queue_type=QueueType.QUORUM, durable=True)
PREFETCH = 20

broker = RabbitBroker(  # without its two log lines a message
    os.environ["PEER_RABBITMQ"], default_channel=Channel(prefetch_count=PREFETCH), logger=None
)
engine = create_async_engine(os.environ["PEER_POSTGRES"])
Session = async_sessionmaker(engine, expire_on_commit=False)
