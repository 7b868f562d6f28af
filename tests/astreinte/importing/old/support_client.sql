-- =====================================================
-- The older help desk, as somebody wrote it down by hand
-- =====================================================
CREATE TABLE IF NOT EXISTS clients (
    client_id VARCHAR(20) PRIMARY KEY,
    nom VARCHAR(100) NOT NULL,
    prenom VARCHAR(100) NOT NULL,
    email VARCHAR(255) NOT NULL UNIQUE,
    telephone VARCHAR(20),
    entreprise VARCHAR(255),
    type_licence VARCHAR(100),
    niveau_technique ENUM('debutant', 'moyen', 'avance') DEFAULT 'moyen',
    nombre_tickets_total INT DEFAULT 0,
    taux_satisfaction FLOAT,
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
    updated_at DATETIME DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
    INDEX idx_email (email)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS tickets (
    ticket_id VARCHAR(20) PRIMARY KEY,
    client_id VARCHAR(20),
    channel ENUM('email', 'sms', 'phone') NOT NULL,
    subject TEXT NOT NULL,
    content LONGTEXT NOT NULL,
    category VARCHAR(100),
    subcategory VARCHAR(100),
    priority ENUM('low', 'medium', 'high', 'critical') DEFAULT 'medium',
    status ENUM('new', 'auto_resolved', 'escalated', 'in_progress', 'resolved', 'closed') DEFAULT 'new',
    auto_resolvable BOOLEAN DEFAULT FALSE,
    confidence_score FLOAT,
    assigned_to VARCHAR(100),
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
    resolved_at DATETIME,
    FOREIGN KEY (client_id) REFERENCES clients(client_id) ON DELETE SET NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS resolutions (
    resolution_id INT AUTO_INCREMENT PRIMARY KEY,
    category VARCHAR(100) NOT NULL,
    subcategory VARCHAR(100),
    problem_description TEXT NOT NULL,
    solution_title VARCHAR(255) NOT NULL,
    solution_steps JSON,
    solution_full_text LONGTEXT,
    success_rate FLOAT,
    knowledge_base_ref VARCHAR(50) NOT NULL UNIQUE,
    is_active BOOLEAN DEFAULT TRUE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS ticket_history (
    history_id INT AUTO_INCREMENT PRIMARY KEY,
    ticket_id VARCHAR(20),
    action VARCHAR(100) NOT NULL,
    action_by VARCHAR(100),
    action_details JSON,
    timestamp DATETIME DEFAULT CURRENT_TIMESTAMP
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE OR REPLACE VIEW v_unresolved_tickets AS
SELECT t.ticket_id, c.nom FROM tickets t LEFT JOIN clients c ON t.client_id = c.client_id
WHERE t.status IN ('new', 'in_progress', 'escalated');

-- CLIENTS
INSERT INTO clients (client_id, nom, prenom, email, telephone, entreprise, type_licence) VALUES ('K01', 'Épinette', 'Zoé', 'zoé.épinette@exemple.example', '+33639980001', NULL, 'Famille');
INSERT INTO clients (client_id, nom, prenom, email, telephone, entreprise, type_licence) VALUES ('K02', 'O''Brien', 'Sam', 'sam@exemple.example', NULL, 'O''Brien & Co', 'Pro');

-- TICKETS
INSERT INTO tickets (ticket_id, client_id, channel, subject, content, category, subcategory, priority, status, auto_resolvable, confidence_score, assigned_to, created_at) VALUES ('T01', 'K01', 'email', 'Mot de passe', 'Je n''arrive plus à ouvrir ma session; aidez-moi -- vite !', 'authentification', 'session', 'high', 'auto_resolved', TRUE, 0.97, 'IA', '2025-01-15T09:23:00Z');
INSERT INTO tickets (ticket_id, client_id, channel, subject, content, created_at) VALUES ('T02', 'K02', 'phone', 'Imprimante', 'Elle ne s''allume plus du tout', '2025-01-16T10:00:00Z');
INSERT INTO tickets (ticket_id, client_id, channel, subject, content, status, created_at) VALUES ('T03', NULL, 'sms', 'Inconnu', 'Rappelez-moi', 'closed', '2025-01-17T10:00:00Z');

INSERT INTO resolutions (category, subcategory, problem_description, solution_title, solution_steps, solution_full_text, success_rate, knowledge_base_ref) VALUES ('authentification', 'session', 'La session ne s''ouvre plus', 'Ouvrir de nouveau sa session', '["Vérifier le clavier", "Demander un nouveau mot de passe"]', 'Demander un nouveau mot de passe.', 0.9, 'KB-1');

INSERT INTO ticket_history (ticket_id, action, action_by, action_details, timestamp) VALUES ('T01', 'auto_resolved', 'IA', '{"steps": 2}', '2025-01-15 09:24:00');
