-- The tables of the first printer system that hold what people keep, and two of its workings.
CREATE TABLE customers (
  customer_id BIGINT AUTO_INCREMENT PRIMARY KEY,
  company_name VARCHAR(255) NOT NULL,
  contact_name VARCHAR(255),
  contact_email VARCHAR(255),
  contact_phone VARCHAR(50),
  address TEXT,
  metadata JSON,
  created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  INDEX idx_email (contact_email)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE printer_models (
  model_id BIGINT AUTO_INCREMENT PRIMARY KEY,
  manufacturer VARCHAR(100) NOT NULL,
  model_name VARCHAR(255) NOT NULL,
  model_code VARCHAR(100),
  specifications JSON,
  manual_url VARCHAR(512),
  created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  UNIQUE KEY uq_model (manufacturer, model_name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE devices (
  device_id BIGINT AUTO_INCREMENT PRIMARY KEY,
  customer_id BIGINT NOT NULL,
  model_id BIGINT NOT NULL,
  serial_number VARCHAR(255),
  install_date DATE,
  warranty_until DATE,
  location VARCHAR(255),
  metadata JSON,
  created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  FOREIGN KEY (customer_id) REFERENCES customers(customer_id) ON DELETE CASCADE,
  FOREIGN KEY (model_id) REFERENCES printer_models(model_id) ON DELETE RESTRICT
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE knowledge_base (
  kb_id BIGINT AUTO_INCREMENT PRIMARY KEY,
  model_id BIGINT,
  problem_title VARCHAR(512) NOT NULL,
  problem_description TEXT,
  cause VARCHAR(512),
  solution TEXT NOT NULL,
  solution_steps JSON,
  error_codes JSON,
  tags JSON,
  source VARCHAR(255),
  embedding BLOB,
  created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  FOREIGN KEY (model_id) REFERENCES printer_models(model_id) ON DELETE CASCADE,
  FULLTEXT KEY ft_kb (problem_title, problem_description, cause, solution)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE tickets (
  ticket_id BIGINT AUTO_INCREMENT PRIMARY KEY,
  external_ref VARCHAR(255) UNIQUE,
  customer_id BIGINT NOT NULL,
  device_id BIGINT,
  subject VARCHAR(512),
  description TEXT,
  priority ENUM('low','medium','high','critical') DEFAULT 'medium',
  status ENUM('new','open','in_progress','auto_resolved','escalated','answered','archived','closed') DEFAULT 'new',
  classification_label VARCHAR(100),
  classification_confidence FLOAT,
  assigned_to VARCHAR(255),
  last_activity_at DATETIME,
  created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  resolved_at DATETIME,
  FOREIGN KEY (customer_id) REFERENCES customers(customer_id) ON DELETE CASCADE,
  FOREIGN KEY (device_id) REFERENCES devices(device_id) ON DELETE SET NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE messages (
  message_id BIGINT AUTO_INCREMENT PRIMARY KEY,
  ticket_id BIGINT,
  customer_id BIGINT,
  channel ENUM('email','sms','call','chat','webhook') NOT NULL,
  direction ENUM('inbound','outbound') NOT NULL DEFAULT 'inbound',
  external_id VARCHAR(255),
  subject VARCHAR(512),
  body TEXT,
  transcription TEXT,
  raw_payload JSON,
  received_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  processed BOOLEAN DEFAULT FALSE,
  processor_notes JSON,
  FOREIGN KEY (ticket_id) REFERENCES tickets(ticket_id) ON DELETE SET NULL,
  FOREIGN KEY (customer_id) REFERENCES customers(customer_id) ON DELETE SET NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE attachments (
  attachment_id BIGINT AUTO_INCREMENT PRIMARY KEY,
  message_id BIGINT NOT NULL,
  filename VARCHAR(512),
  content_type VARCHAR(100),
  size_bytes BIGINT DEFAULT 0,
  storage_ref VARCHAR(1024),
  metadata JSON,
  created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  FOREIGN KEY (message_id) REFERENCES messages(message_id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE responses (
  response_id BIGINT AUTO_INCREMENT PRIMARY KEY,
  ticket_id BIGINT NOT NULL,
  rag_id BIGINT,
  responder_type ENUM('auto','agent') NOT NULL,
  responder_id VARCHAR(255),
  channel ENUM('email','sms','call','chat') NOT NULL,
  content TEXT,
  content_json JSON,
  send_payload JSON,
  sent_at DATETIME,
  send_status ENUM('queued','sent','delivered','failed','ignored') DEFAULT 'queued',
  created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  FOREIGN KEY (ticket_id) REFERENCES tickets(ticket_id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE ticket_history (
  history_id BIGINT AUTO_INCREMENT PRIMARY KEY,
  ticket_id BIGINT NOT NULL,
  action VARCHAR(100) NOT NULL,
  actor_type ENUM('system','agent','customer') DEFAULT 'system',
  actor_id VARCHAR(255),
  detail JSON,
  created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  FOREIGN KEY (ticket_id) REFERENCES tickets(ticket_id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE predictions (
  prediction_id BIGINT AUTO_INCREMENT PRIMARY KEY,
  ticket_id BIGINT,
  model_name VARCHAR(100) NOT NULL,
  label VARCHAR(100)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE loyalty_points (
  id INT PRIMARY KEY,
  points INT
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
